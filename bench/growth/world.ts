import { setTimeout as delay } from 'node:timers/promises';
import { type Address, formatAddress, sameAddress } from '../../lib/model/address.ts';
import { type MasterRecord, parseRecord } from '../../lib/model/record.ts';
import { waitFor } from '../../test/sandbox/condition.ts';
import type { ConsulAgent } from '../../test/sandbox/consul.ts';
import type { Daemon } from '../../test/sandbox/daemon.ts';
import type { Shard } from '../../test/sandbox/redis.ts';
import type { Sandbox } from '../../test/sandbox/sandbox.ts';
import type { MonitoredShard, SentinelServer } from '../../test/sandbox/sentinel.ts';
import { countingConsul } from './consul-count.ts';
import { readUnitEnvironment } from './unit-environment.ts';

/** Masters behind three Sentinels, and a Consul that counts. */
export interface MastersWorld {
  readonly sandbox: Sandbox;
  readonly consul: ConsulAgent;
  readonly sentinels: readonly SentinelServer[];
  readonly shards: readonly MonitoredShard[];
  readonly redis: 'real' | 'simulated';
  /** Ends the server at an address as a kill does. */
  readonly stopAt: (address: Address) => Promise<void>;
}

export interface WorldSize {
  readonly masters: number;
  /** With more masters than this, one process stands for all Redis servers. */
  readonly realMasters: number;
}

/** The same at every size. With Sentinel's own periods, a thousand masters take more CPU time than two cores have. */
export const sentinelPeriods = {
  introduced: true,
  downAfterMs: 15_000,
  failoverTimeoutMs: 30_000,
  pingPeriodMs: 3_000,
  publishPeriodMs: 20_000,
} as const;

const pairsAtOnce = 8;

export async function openMastersWorld(sandbox: Sandbox, size: WorldSize): Promise<MastersWorld> {
  const consul = await sandbox.consul({ config: countingConsul });
  const servers = size.masters > size.realMasters ? await simulate(sandbox, size) : await startReal(sandbox, size);
  const sentinels = await sandbox.sentinels({ masters: servers.shards, ...sentinelPeriods });
  return { sandbox, consul, sentinels, ...servers };
}

type Servers = Pick<MastersWorld, 'shards' | 'redis' | 'stopAt'>;

async function simulate(sandbox: Sandbox, { masters }: WorldSize): Promise<Servers> {
  const simulated = await sandbox.simulatedRedis({ masters });
  return { shards: simulated.shards, redis: 'simulated', stopAt: (address) => simulated.stopAt(address) };
}

async function startReal(sandbox: Sandbox, { masters }: WorldSize): Promise<Servers> {
  const shards: Shard[] = [];
  for (let index = 0; index < masters; index += pairsAtOnce) {
    const names = Array.from({ length: Math.min(pairsAtOnce, masters - index) }, (_, k) => `shard${index + k}`);
    shards.push(...(await Promise.all(names.map((name) => sandbox.redis({ name, replicas: 1 })))));
  }
  const stopAt = async (address: Address) => {
    await shards
      .flatMap(({ servers }) => servers)
      .find((server) => sameAddress(server.address, address))
      ?.kill();
  };
  return { shards, redis: 'real', stopAt };
}

/** Starts daemons side by side with the default settings. Returns the time until all are ready and every record is confirmed. */
export async function startDaemons(
  { sandbox, consul, sentinels, shards }: MastersWorld,
  count: number,
): Promise<{ readonly daemons: readonly Daemon[]; readonly startedMs: number }> {
  const config = {
    consul: { address: consul.url },
    sentinel: { addresses: sentinels.map(({ address }) => formatAddress(address)), masters: ['*'] },
  };
  const env = readUnitEnvironment();
  const daemons: Daemon[] = [];
  for (let n = 1; n <= count; n += 1)
    daemons.push(await sandbox.switchmaster({ name: `switchmaster-${n}`, start: 'later', config, env }));
  const beganMs = performance.now();
  for (const daemon of daemons) void daemon.launch();
  const waiting = { timeoutMs: 600_000, intervalMs: 100 };
  for (const daemon of daemons)
    await waitFor(`${daemon.name} to be ready`, async () => (await daemon.get('/ready')).status === 200, waiting);
  await waitFor('every record to be confirmed', () => readRecords(consul), {
    ...waiting,
    until: (records) => records.filter(({ phase }) => phase === 'confirmed').length === shards.length,
  });
  return { daemons, startedMs: performance.now() - beganMs };
}

/** Waits until every daemon sees every master well, so that a failover may begin and nothing is left to do. */
export async function untilWell(daemons: readonly Daemon[]): Promise<void> {
  for (const daemon of daemons)
    await waitFor(`${daemon.name} to be well`, async () => (await daemon.get('/v1/health')).body as { level: string }, {
      until: ({ level }) => level === 'well',
      timeoutMs: 300_000,
      intervalMs: 500,
    });
  // Sentinel reads INFO of a replica every 10 s: the first readings are no part of idling.
  await delay(10_000);
}

export async function readRecords(consul: ConsulAgent): Promise<readonly MasterRecord[]> {
  const entries = await consul.get<{ Value: string }[]>('/v1/kv/redis/record/?recurse');
  return (entries ?? []).flatMap(({ Value }) => parseRecord(Buffer.from(Value, 'base64').toString('utf8')) ?? []);
}
