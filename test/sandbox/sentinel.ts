import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Address } from '../../lib/model/address.ts';
import { waitFor } from './condition.ts';
import type { Ground } from './ground.ts';
import { SentinelRecorder } from './recorder.ts';
import { commonConfig, formatConfig, type RedisConfig } from './redis.ts';
import { pairs, type Reply, redisCli } from './resp.ts';
import { Server, type ServerSpec } from './server.ts';

/** A master and its replicas, as Sentinel monitors them: a `Shard`, or one of a `SimulatedRedis`. */
export interface MonitoredShard {
  /** Sentinel's master name. */
  readonly name: string;
  readonly master: { readonly address: Address };
  readonly replicas: readonly { readonly address: Address }[];
  readonly password?: string | undefined;
}

/** One Sentinel. */
export class SentinelServer extends Server {
  readonly address: Address;
  /**
   * Writes its config file as it was before its first start, while it is stopped: it has lost its id, its epochs and what
   * it had discovered. It monitors a master that `masters` leaves out at its first address.
   */
  readonly wipe: (masters?: ReadonlyMap<string, Address>) => void;

  constructor(spec: ServerSpec, { address, wipe }: Pick<SentinelServer, 'address' | 'wipe'>) {
    super({ ...spec, ready: async () => (await this.command('PING')) === 'PONG' });
    this.address = address;
    this.wipe = wipe;
  }

  /** Sends one command over a connection of its own. */
  command(...args: (string | number)[]): Promise<Reply> {
    return redisCli(this.address, args);
  }

  /** `SENTINEL MASTER name`: `ip`, `port`, `flags`, `config-epoch`, `num-slaves`, `num-other-sentinels`, ... */
  async masterInfo(name: string): Promise<Record<string, string>> {
    return pairs(await this.command('SENTINEL', 'MASTER', name));
  }

  /** The master's address according to this Sentinel. */
  async masterAddress(name: string): Promise<Address> {
    const reply = await this.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name);
    if (!Array.isArray(reply)) throw new Error(`${this.name} monitors no master ${name}`);
    return { host: String(reply[0]), port: Number(reply[1]) };
  }

  /** `SENTINEL REPLICAS name`. */
  async replicaInfos(name: string): Promise<Record<string, string>[]> {
    const reply = await this.command('SENTINEL', 'REPLICAS', name);
    return Array.isArray(reply) ? reply.map(pairs) : [];
  }

  /** Subscribes to all of its events, until closed. */
  record(): Promise<SentinelRecorder> {
    return SentinelRecorder.open(this.address);
  }
}

export type SentinelOptions = {
  /** Default 3. */
  count?: number;
  masters: readonly MonitoredShard[];
  /** Default: a majority. */
  quorum?: number;
  /** Default 1,000. With less, a loaded machine sees failures that do not exist. */
  downAfterMs?: number;
  /** Default 10,000. Sentinel tries a failed failover again only after twice this. */
  failoverTimeoutMs?: number;
  /** Default 1. */
  parallelSyncs?: number;
  config?: RedisConfig;
  /** Lines added as they are, after the `sentinel monitor` lines. */
  lines?: readonly string[];
  /** Default `redis-sentinel`. */
  program?: string;
  /** Start of their names. Default `sentinel`. */
  name?: string;
  /**
   * Writes what Sentinels discover (replicas and each other) into their config files. With many masters each discovery rewrites
   * a large file. Default false.
   */
  introduced?: boolean;
  /** How often they greet each other over each server. Default 2,000, as Sentinel itself. Many masters leave no CPU time for that. */
  publishPeriodMs?: number;
  /** Default 1,000, as Sentinel itself. `downAfterMs` must be longer. */
  pingPeriodMs?: number;
};

interface Place {
  readonly name: string;
  readonly address: Address;
  readonly id: string;
}

/** Starts Sentinels. When it resolves, each knows the others, and every replica's link is up. */
export async function startSentinels(ground: Ground, options: SentinelOptions): Promise<SentinelServer[]> {
  const { count = 3, masters, name = 'sentinel', introduced = false } = options;
  const { pingPeriodMs = 1_000, publishPeriodMs = 2_000 } = options;
  const places: Place[] = [];
  for (let index = 1; index <= count; index += 1)
    places.push({
      name: `${name}-${index}`,
      address: await ground.addresses.next(),
      id: randomBytes(20).toString('hex'),
    });
  const sentinels = places.map((place) => sentinelServer(ground, { ...options, place, places }));
  await Promise.all(sentinels.map((sentinel) => sentinel.start()));
  await setDebug(sentinels, 'ping-period', pingPeriodMs);
  await setDebug(sentinels, 'publish-period', introduced ? publishPeriodMs : 100);
  await Promise.all(sentinels.map((sentinel) => settled(sentinel, { masters, others: count - 1 })));
  await setDebug(sentinels, 'publish-period', publishPeriodMs);
  return sentinels;
}

interface Introduction {
  readonly place: Place;
  readonly places: readonly Place[];
}

/** A Sentinel, not yet started. */
function sentinelServer(ground: Ground, options: SentinelOptions & Introduction): SentinelServer {
  const { config = {}, program = 'redis-sentinel', introduced = false } = options;
  const { name, address, id } = options.place;
  const dir = join(ground.folder, name);
  mkdirSync(dir, { recursive: true });
  const configFile = join(dir, 'sentinel.conf');
  const wipe = (masters: ReadonlyMap<string, Address> = new Map()) => {
    const monitors = options.masters.flatMap((shard) =>
      monitorLines(shard, { ...options, at: masters.get(shard.name) }),
    );
    const known = introduced
      ? [`sentinel myid ${id}`, ...options.masters.flatMap((shard) => knownLines(shard, options))]
      : [];
    const lines = [...monitors, ...known, ...(options.lines ?? [])].map((line) => `${line}\n`).join('');
    writeFileSync(configFile, formatConfig({ ...commonConfig(address, dir), ...config }) + lines);
  };
  wipe();
  return new SentinelServer(ground.server(name, [program, configFile]), { address, wipe });
}

function monitorLines(
  shard: MonitoredShard,
  options: SentinelOptions & { readonly at: Address | undefined },
): string[] {
  const { count = 3, downAfterMs = 1_000, failoverTimeoutMs = 10_000, parallelSyncs = 1 } = options;
  const { quorum = Math.floor(count / 2) + 1 } = options;
  const { host, port } = options.at ?? shard.master.address;
  return [
    `sentinel monitor ${shard.name} ${host} ${port} ${quorum}`,
    `sentinel down-after-milliseconds ${shard.name} ${downAfterMs}`,
    `sentinel failover-timeout ${shard.name} ${failoverTimeoutMs}`,
    `sentinel parallel-syncs ${shard.name} ${parallelSyncs}`,
    ...(shard.password === undefined ? [] : [`sentinel auth-pass ${shard.name} ${shard.password}`]),
  ];
}

function knownLines({ name, replicas }: MonitoredShard, { place, places }: Introduction): string[] {
  const others = places.filter((other) => other !== place);
  return [
    ...replicas.map(({ address: { host, port } }) => `sentinel known-replica ${name} ${host} ${port}`),
    ...others.map(({ address: { host, port }, id }) => `sentinel known-sentinel ${name} ${host} ${port} ${id}`),
  ];
}

// Sentinels find each other by hello messages on their masters, which they publish every two seconds, but more often while
// the sandbox starts (`SENTINEL DEBUG`, since Redis 7.0; older ones take longer).
async function setDebug(sentinels: readonly SentinelServer[], name: string, periodMs: number): Promise<void> {
  await Promise.all(
    sentinels.map((sentinel) => sentinel.command('SENTINEL', 'DEBUG', name, periodMs).catch(() => undefined)),
  );
}

async function settled(
  sentinel: SentinelServer,
  { masters, others }: { masters: readonly MonitoredShard[]; others: number },
): Promise<void> {
  for (const shard of masters) {
    const view = async () => ({
      master: await sentinel.masterInfo(shard.name),
      replicas: await sentinel.replicaInfos(shard.name),
      sentinels: ((await sentinel.command('SENTINEL', 'SENTINELS', shard.name)) as Reply[]).map(pairs),
    });
    await waitFor(`${sentinel.name} to know all of ${shard.name}`, view, {
      // With many masters on a busy machine, hello messages take longer.
      timeoutMs: 60_000,
      until: ({ master, replicas, sentinels }) =>
        master.flags === 'master' &&
        sentinels.length === others &&
        sentinels.every(({ flags }) => flags === 'sentinel') &&
        replicas.length === shard.replicas.length &&
        replicas.every((replica) => replica.flags === 'slave' && replica['master-link-status'] === 'ok'),
    });
  }
}
