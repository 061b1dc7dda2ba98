import { formatAddress, sameAddress } from '../../lib/model/address.ts';
import { type MasterRecord, parseRecord } from '../../lib/model/record.ts';
import { waitFor } from '../sandbox/condition.ts';
import type { ConsulAgent } from '../sandbox/consul.ts';
import type { RedisServer, Shard } from '../sandbox/redis.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { SentinelServer } from '../sandbox/sentinel.ts';
import { monitor } from './faults/sentinels.ts';
import { placeReadings } from './places.ts';
import { judgeDestinations } from './rules.ts';
import { hastenSentinel, type Stage, startStage } from './stage.ts';

/** From the last fault until everything points at the one master again. */
const settleMs = 60_000;
/** Between two `SENTINEL RESET`: a Sentinel that was reset has to find the replicas and Sentinels again. */
const resetPauseMs = 10_000;

/** A stage on which every place names the masters: the first file of a proxy may lack one. */
export async function startSettledStage(sandbox: Sandbox): Promise<Stage> {
  const stage = await startStage(sandbox);
  const unsettled = await settle(stage);
  if (unsettled.length > 0) throw new Error(`the stage does not settle: ${unsettled.join('; ')}`);
  return stage;
}

/** Starts what is down, and waits until every place names the one master. Returns what does not in time. */
export async function settle(stage: Stage): Promise<readonly string[]> {
  const daemons = [...stage.bridges, stage.renderer];
  const servers = [stage.consul, ...stage.shards.flatMap((shard) => shard.servers), ...stage.sentinels];
  for (const server of [...servers, stage.haproxy, stage.twemproxy, ...daemons]) {
    if (server.paused) server.resume();
    if (!server.running) await server.start();
  }
  for (const sentinel of stage.sentinels) await hastenSentinel(sentinel);
  await monitorForgotten(stage);
  let last: readonly string[] = ['nothing was read'];
  const whole = async () => {
    last = await judge(stage);
    return last.length === 0;
  };
  const replicating = async () => (await Promise.all(stage.shards.map(hasReplicas))).every(Boolean);
  const wait = { timeoutMs: settleMs, intervalMs: 100 };
  try {
    for (const sentinel of stage.sentinels) await untilKnowing(sentinel, stage);
    await waitFor('everything to point at the masters', whole, wait);
    await waitFor('the replicas to be in step', replicating, wait);
    // A failover may have begun meanwhile.
    await waitFor('everything to point at the masters', whole, wait);
    return [];
  } catch (error) {
    return last.length > 0 ? last : [String(error).split(';')[0] ?? ''];
  }
}

async function judge(stage: Stage): Promise<readonly string[]> {
  const places = await readPlaces(stage);
  const judged = stage.shards.map(async (shard) =>
    judgeDestinations(shard.name, await whereItPoints(stage, shard, places)),
  );
  return (await Promise.all(judged)).flat();
}

type Places = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

async function readPlaces(stage: Stage): Promise<Places> {
  const readings = Object.entries(placeReadings(stage)).map(
    async ([place, read]) => [place, await read().catch(() => new Map())] as const,
  );
  return new Map(await Promise.all(readings));
}

/** Which server each place names as the master of one shard. */
async function whereItPoints(
  { consul, sentinels }: Stage,
  shard: Shard,
  places: Places,
): Promise<Readonly<Record<string, string>>> {
  const [record, plain, dns, srv, masters, named] = await Promise.all([
    readRecord(consul, shard.name),
    consul.key(`redis/master/${shard.name}`),
    consul.dnsA(`${shard.name}.redis-master.service.consul`),
    consul.dnsSrv(`${shard.name}.redis-master.service.consul`),
    mastersByRole(shard),
    Promise.all(sentinels.map((sentinel) => sentinel.masterAddress(shard.name))),
  ]);
  const led = [...places].map(([place, servers]) => [place, servers.get(shard.name)?.join(' ') ?? 'nobody'] as const);
  return {
    record: record === undefined ? 'none' : formatAddress(record.master),
    phase: record?.phase ?? 'none',
    key: plain ?? 'none',
    dns: dns.map((host, index) => `${host}:${srv[index]?.port ?? '?'}`).join(' '),
    role: masters.map(({ address }) => formatAddress(address)).join(' '),
    sentinels: [...new Set(named.map(formatAddress))].join(' '),
    ...Object.fromEntries(led),
  };
}

/** The servers that answer as masters. Rejects if one does not answer. */
export async function mastersByRole(shard: Shard): Promise<readonly RedisServer[]> {
  const roles = await Promise.all(shard.servers.map((server) => server.role()));
  return shard.servers.filter((_, index) => roles[index] === 'master');
}

async function readRecord(consul: ConsulAgent, name: string): Promise<MasterRecord | undefined> {
  const text = await consul.key(`redis/record/${name}`);
  return text === undefined ? undefined : parseRecord(text);
}

async function hasReplicas(shard: Shard): Promise<boolean> {
  const roles = await Promise.all(shard.servers.map((server) => server.command('ROLE')));
  return roles.filter((role) => Array.isArray(role) && role[3] === 'connected').length === shard.servers.length - 1;
}

/** A Sentinel that ended between the REMOVE and the MONITOR of `monitor-again` does not know the master any more. */
async function monitorForgotten({ sentinels, shards }: Stage): Promise<void> {
  for (const sentinel of sentinels) {
    for (const { name } of shards) {
      const known = await sentinel.masterInfo(name).then(
        () => true,
        () => false,
      );
      const other = sentinels.find((one) => one !== sentinel);
      if (!known && other !== undefined) await monitor(sentinel, name, await other.masterAddress(name));
    }
  }
}

/**
 * Waits until a Sentinel knows every replica and all other Sentinels. One that still counts a Sentinel that was rebuilt
 * under another id is reset, and one that was reset during its own failover and keeps the old master monitors it again, as the
 * operations guide says.
 */
async function untilKnowing(sentinel: SentinelServer, stage: Stage): Promise<void> {
  const others = stage.sentinels.filter((one) => one !== sentinel);
  let repairedMs = Date.now();
  const knows = async (shard: Shard) => {
    const info = await sentinel.masterInfo(shard.name);
    const count = Number(info['num-other-sentinels']);
    if (count === others.length && Number(info['num-slaves']) === shard.replicas.length) return true;
    if (Date.now() - repairedMs <= resetPauseMs) return false;
    repairedMs = Date.now();
    const [master, ...rest] = await Promise.all(others.map((other) => other.masterAddress(shard.name)));
    const othersAgree = master !== undefined && rest.every((one) => sameAddress(one, master));
    if (othersAgree && formatAddress(master) !== `${info.ip}:${info.port}`) {
      await sentinel.command('SENTINEL', 'REMOVE', shard.name);
      await monitor(sentinel, shard.name, master);
    } else if (count > others.length) await sentinel.command('SENTINEL', 'RESET', shard.name);
    return false;
  };
  for (const shard of stage.shards)
    await waitFor(`${sentinel.name} to know all of ${shard.name}`, () => knows(shard), { timeoutMs: settleMs });
}
