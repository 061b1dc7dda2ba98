import { Cluster } from 'ioredis';
import { type Address, formatAddress } from '../lib/model/address.ts';
import { startCluster } from '../test/integration/support/clustering.ts';
import { persistentClient, type WriteClient } from '../test/integration/support/writing.ts';
import { waitFor } from '../test/sandbox/condition.ts';
import type { Daemon } from '../test/sandbox/daemon.ts';
import { haproxyTemplate } from '../test/sandbox/proxy-templates.ts';
import type { RedisServer } from '../test/sandbox/redis.ts';
import type { Sandbox } from '../test/sandbox/sandbox.ts';
import type { SentinelServer } from '../test/sandbox/sentinel.ts';

/** A master and its replica, and the client that writes to them. */
export interface CrashPair {
  readonly name: string;
  readonly servers: readonly [RedisServer, RedisServer];
  /** How long after a failover another one is ordered. */
  readonly settleMs: number;
  /** The master, once all is as before a crash. undefined: not yet. */
  readonly findMaster: () => Promise<RedisServer | undefined>;
  /** A key that belongs to this pair. */
  readonly keyOf: (round: number) => Promise<string>;
  readonly openClient: () => WriteClient;
}

export interface CrashStage {
  readonly pairs: readonly CrashPair[];
  readonly daemons: readonly Daemon[];
  readonly loop: 'crash' | 'cluster-crash';
  /** What the client writes through. */
  readonly through: string;
}

export interface StageSize {
  readonly pairs: number;
  readonly bridges: number;
}

const clusterName = 'sessions';

/** Sentinels that wait for 30 s, as by default. Only failover-timeout is shorter: it limits how often a master may crash. */
export async function openSentinelStage(sandbox: Sandbox, size: StageSize): Promise<CrashStage> {
  const failoverTimeoutMs = 2_000;
  const names = Array.from({ length: size.pairs }, (_, i) => `shard${i + 1}`);
  const [consul, ...shards] = await Promise.all([sandbox.consul(), ...names.map((name) => sandbox.redis({ name }))]);
  const sentinels = await sandbox.sentinels({ masters: shards, downAfterMs: 30_000, failoverTimeoutMs });
  const listens = await Promise.all(names.map(() => sandbox.address()));
  const [first] = listens as [Address];
  const configFile = sandbox.path('haproxy.cfg');
  const haproxy = await sandbox.haproxy({ configFile, listen: first, start: 'later' });
  const template = haproxyTemplate({
    destination: configFile,
    socket: sandbox.path('haproxy.sock'),
    reloadCommand: haproxy.reloadCommand,
    listeners: { bind: '*', ports: Object.fromEntries(names.map((name, i) => [name, listens[i]?.port ?? 0])) },
  });
  const sentinel = { addresses: sentinels.map(({ address }) => formatAddress(address)), onCrash: 'failover' };
  const daemons = await startDaemons(sandbox, size, (i) => ({
    consul: { address: consul.url },
    sentinel,
    ...(i === 0 ? { templates: [template] } : {}),
  }));
  const pairs = shards.map(({ name, servers }, i): CrashPair => {
    const pair = servers as CrashPair['servers'];
    const at = { host: first.host, port: listens[i]?.port ?? 0 };
    return {
      name,
      servers: pair,
      settleMs: failoverTimeoutMs + 500,
      findMaster: () => findSentinelMaster({ name, servers: pair }, { sentinels, daemons }),
      keyOf: async (round) => `crash:${round}`,
      openClient: () => persistentClient(() => at),
    };
  });
  return { pairs, daemons, loop: 'crash', through: 'HAProxy' };
}

interface MasterAnswer {
  readonly record: { readonly phase: string; readonly master: Address } | null;
  readonly replicas: readonly { readonly lag: { readonly behindMs: number | null } | null }[];
}

async function findSentinelMaster(
  { name, servers }: Pick<CrashPair, 'name' | 'servers'>,
  by: { readonly sentinels: readonly SentinelServer[]; readonly daemons: readonly Daemon[] },
): Promise<RedisServer | undefined> {
  const answers = await Promise.all(by.daemons.map((daemon) => daemon.get(`/v1/masters/${name}`)));
  const views = answers.map(({ body }) => body as MasterAnswer);
  const master = servers.find(({ address }) =>
    views.every(
      ({ record }) => record?.phase === 'confirmed' && formatAddress(record.master) === formatAddress(address),
    ),
  );
  const isMeasured = views.every(({ replicas }) => replicas.some(({ lag }) => (lag?.behindMs ?? Infinity) < 5_000));
  if (master === undefined || !isMeasured) return undefined;
  const seen = await Promise.all(
    by.sentinels.map(async (sentinel) => {
      const [info, [replica]] = await Promise.all([sentinel.masterInfo(name), sentinel.replicaInfos(name)]);
      const isNamed = info.flags === 'master' && `${info.ip}:${info.port}` === formatAddress(master.address);
      return isNamed && replica?.flags === 'slave' && replica['master-link-status'] === 'ok';
    }),
  );
  return seen.every(Boolean) ? master : undefined;
}

/** A cluster that waits for 15 s, as by default. */
export async function openClusterStage(sandbox: Sandbox, size: StageSize): Promise<CrashStage> {
  const nodeTimeoutMs = 15_000;
  const configs = Array.from({ length: 2 * size.pairs }, () => ({ 'cluster-node-timeout': String(nodeTimeoutMs) }));
  const [consul, { nodes }] = await Promise.all([
    sandbox.consul(),
    startCluster(sandbox, { name: clusterName, masters: size.pairs, configs }),
  ]);
  const seeds = nodes.map(({ address }) => formatAddress(address));
  const daemons = await startDaemons(sandbox, size, () => ({
    consul: { address: consul.url },
    cluster: [{ name: clusterName, seeds, onCrash: 'failover' }],
  }));
  const pairs = nodes.slice(0, size.pairs).map((node, i): CrashPair => {
    const servers = [node, nodes[i + size.pairs] as RedisServer] as const;
    return {
      name: node.name,
      servers,
      // Of four times cluster-node-timeout.
      settleMs: 4 * nodeTimeoutMs + 500,
      findMaster: () => findClusterMaster(servers, { nodes, daemons }),
      keyOf: (round) => findKey(servers, round),
      openClient: () => clusterClient(nodes.map(({ address }) => address)),
    };
  });
  return { pairs, daemons, loop: 'cluster-crash', through: 'ioredis' };
}

async function findClusterMaster(
  servers: CrashPair['servers'],
  by: { readonly nodes: readonly RedisServer[]; readonly daemons: readonly Daemon[] },
): Promise<RedisServer | undefined> {
  const answers = await Promise.all(by.daemons.map((daemon) => daemon.get('/v1/clusters')));
  const texts = answers.map(({ body }) => JSON.stringify((body as { clusters: object[] }).clusters));
  const master = servers.find(({ address }) => texts.every((text) => text.includes(`"master":${toJson(address)}`)));
  const replica = servers.find((server) => server !== master);
  if (master === undefined || replica === undefined) return undefined;
  const role = await replica.command('ROLE');
  if (!Array.isArray(role) || role[3] !== 'connected') return undefined;
  const lists = await Promise.all(by.nodes.map((node) => node.command('CLUSTER', 'NODES')));
  return lists.some((list) => /fail|disconnected|handshake/.test(String(list))) ? undefined : master;
}

function toJson({ host, port }: Address): string {
  return JSON.stringify({ host, port });
}

/** A key in the slots of these servers: others answer with MOVED. */
async function findKey(servers: CrashPair['servers'], round: number): Promise<string> {
  for (let n = 0; n < 1_000; n += 1) {
    const key = `crash:${round}:${n}`;
    const answers = await Promise.all(servers.map((server) => server.command('SADD', key, 0).catch(() => undefined)));
    if (answers.includes(1)) return key;
  }
  throw new Error('the servers accept no write');
}

/** With its defaults. It finds a new master by itself, so nothing is to be done after an error. */
function clusterClient(nodes: readonly Address[]): WriteClient {
  const cluster = new Cluster([...nodes]);
  cluster.on('error', () => undefined);
  return {
    async write(key, value) {
      await cluster.sadd(key, value);
    },
    drop: () => undefined,
    close: () => cluster.disconnect(),
  };
}

async function startDaemons(
  sandbox: Sandbox,
  { bridges }: StageSize,
  configOf: (index: number) => Record<string, unknown>,
): Promise<readonly Daemon[]> {
  const daemons: Daemon[] = [];
  // One after the other: a start uses a processor for a second.
  for (let i = 0; i < bridges; i += 1)
    daemons.push(await sandbox.switchmaster({ name: `switchmaster-${i + 1}`, config: configOf(i) }));
  await waitFor('the daemons to answer', () => Promise.all(daemons.map((daemon) => daemon.get('/ready'))), {
    until: (answers) => answers.every(({ status }) => status === 200),
    timeoutMs: 60_000,
  });
  return daemons;
}
