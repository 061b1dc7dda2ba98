import { setTimeout as lasting } from 'node:timers/promises';
import { formatAddress } from '../../lib/model/address.ts';
import type { RedisServer, Shard } from '../sandbox/redis.ts';
import type { Server } from '../sandbox/server.ts';
import type { Random } from './random.ts';
import { hastenSentinel, type Stage, token } from './stage.ts';

/** What a fault may do to acknowledged writes, whoever follows. */
type Hazard =
  /** None may be lost. */
  | 'none'
  /** What a master that dies or is left behind had not replicated yet. */
  | 'unreplicated';

export interface Fault {
  readonly name: string;
  readonly hazard: Hazard;
  /** Somebody changes or deletes by hand what the bridges keep: rules about it wait until it is put back. */
  readonly edits?: true;
  /** Prepares the fault from the random numbers alone: what it hits, how long; then it can be carried out. */
  draw(stage: Stage, random: Random): DrawnFault;
}

export interface DrawnFault {
  /** Such as `shard1-b for 700 ms`. */
  readonly target: string;
  /** Does it and undoes it. What a fault meets that is down already is left alone. */
  run(): Promise<void>;
}

/** The master by most of the Sentinels that answer. */
async function masterOf(stage: Stage, shard: Shard): Promise<RedisServer | undefined> {
  const named = await Promise.all(
    stage.sentinels.map((sentinel) => sentinel.masterAddress(shard.name).then(formatAddress, () => undefined)),
  );
  return shard.servers.find((server) => named.filter((name) => name === formatAddress(server.address)).length >= 2);
}

export const faults: readonly Fault[] = [
  {
    name: 'kill-master',
    hazard: 'unreplicated',
    draw: (stage, random) => onMaster(stage, random, { lowMs: 4_000, highMs: 7_000 }, killFor),
  },
  {
    name: 'freeze-master',
    hazard: 'unreplicated',
    draw: (stage, random) => onMaster(stage, random, { lowMs: 200, highMs: 5_000 }, freezeFor),
  },
  {
    name: 'kill-replica',
    hazard: 'unreplicated',
    draw: (stage, random) => {
      const server = random.pick(random.pick(stage.shards).servers);
      return timed(server, random.between(500, 4_000), killFor);
    },
  },
  {
    name: 'kill-sentinel',
    hazard: 'none',
    draw: (stage, random) => {
      const sentinel = random.pick(stage.sentinels);
      const forMs = random.between(200, 4_000);
      const run = async () => {
        await killFor(sentinel, forMs);
        await hastenSentinel(sentinel);
      };
      return { target: `${sentinel.name} for ${forMs} ms`, run };
    },
  },
  { name: 'freeze-sentinel', hazard: 'none', draw: (stage, random) => frozen(random.pick(stage.sentinels), random) },
  {
    name: 'kill-daemon',
    hazard: 'none',
    draw: (stage, random) => timed(random.pick([...stage.bridges, stage.renderer]), random.between(0, 3_000), killFor),
  },
  { name: 'freeze-daemon', hazard: 'none', draw: (stage, random) => frozen(random.pick(stage.bridges), random) },
  {
    name: 'reload-daemon',
    hazard: 'none',
    draw: (stage, random) => {
      const daemon = random.pick([...stage.bridges, stage.renderer]);
      return { target: daemon.name, run: () => daemon.kill('SIGHUP') };
    },
  },
  {
    name: 'kill-consul',
    hazard: 'none',
    draw: (stage, random) => timed(stage.consul, random.between(100, 4_000), killFor),
  },
  { name: 'freeze-consul', hazard: 'none', draw: (stage, random) => frozen(stage.consul, random) },
  { name: 'planned-failover', hazard: 'none', draw: drawPlannedFailover },
  { name: 'sentinel-failover', hazard: 'unreplicated', draw: drawSentinelFailover },
  { name: 'double-failover', hazard: 'unreplicated', draw: drawDoubleFailover },
  {
    name: 'delete-record',
    hazard: 'none',
    edits: true,
    draw: (stage, random) => drawDeletion(stage, random, 'record/'),
  },
  { name: 'delete-key', hazard: 'none', edits: true, draw: (stage, random) => drawDeletion(stage, random, 'master/') },
  {
    name: 'delete-tree',
    hazard: 'none',
    edits: true,
    draw: (stage) => ({ target: 'redis/', run: () => stage.consul.delete('/v1/kv/redis/?recurse') }),
  },
  {
    name: 'edit-key',
    hazard: 'none',
    edits: true,
    draw: (stage, random) => {
      const { name } = random.pick(stage.shards);
      return { target: name, run: () => stage.consul.putKey(`redis/master/${name}`, '192.0.2.1:6379') };
    },
  },
  {
    name: 'spoil-record',
    hazard: 'none',
    edits: true,
    draw: (stage, random) => {
      const { name } = random.pick(stage.shards);
      return { target: name, run: () => stage.consul.putKey(`redis/record/${name}`, '{"version":1,"name":') };
    },
  },
  {
    name: 'deregister-service',
    hazard: 'none',
    edits: true,
    draw: (stage, random) => {
      const { name } = random.pick(stage.shards);
      const node = { Node: `redis-${name}`, ServiceID: 'redis-master' };
      return { target: name, run: async () => void (await stage.consul.put('/v1/catalog/deregister', node)) };
    },
  },
  {
    name: 'reload-haproxy',
    hazard: 'none',
    draw: (stage) => ({ target: stage.haproxy.name, run: () => stage.haproxy.kill('SIGUSR2') }),
  },
];

async function killFor(server: Server, forMs: number): Promise<void> {
  if (!server.running) return;
  await server.kill();
  await lasting(forMs);
  if (!server.running) await server.start();
}

async function freezeFor(server: Server, forMs: number): Promise<void> {
  if (!server.running) return;
  server.pause();
  await lasting(forMs);
  server.resume();
}

function timed<S extends Server>(
  server: S,
  forMs: number,
  act: (server: S, forMs: number) => Promise<void>,
): DrawnFault {
  return { target: `${server.name} for ${forMs} ms`, run: () => act(server, forMs) };
}

function frozen(server: Server, random: Random): DrawnFault {
  return timed(server, random.between(200, 4_000), freezeFor);
}

function onMaster(
  stage: Stage,
  random: Random,
  { lowMs, highMs }: { readonly lowMs: number; readonly highMs: number },
  act: (server: Server, forMs: number) => Promise<void>,
): DrawnFault {
  const shard = random.pick(stage.shards);
  const forMs = random.between(lowMs, highMs);
  const run = async () => {
    const master = await masterOf(stage, shard);
    if (master !== undefined) await act(master, forMs);
  };
  return { target: `${shard.name} for ${forMs} ms`, run };
}

function drawPlannedFailover(stage: Stage, random: Random): DrawnFault {
  const [shard, daemon] = [random.pick(stage.shards), random.pick(stage.bridges)];
  const run = async () => {
    const url = `http://${formatAddress(daemon.api)}/v1/masters/${shard.name}/failover`;
    const headers = { authorization: `Bearer ${token}` };
    // A refusal is an answer too: other faults may stand in the way.
    await fetch(url, { method: 'POST', headers, signal: AbortSignal.timeout(20_000) }).catch(() => undefined);
  };
  return { target: `${shard.name} by ${daemon.name}`, run };
}

function drawSentinelFailover(stage: Stage, random: Random): DrawnFault {
  const [shard, sentinel] = [random.pick(stage.shards), random.pick(stage.sentinels)];
  const run = async () => void (await sentinel.command('SENTINEL', 'FAILOVER', shard.name).catch(() => undefined));
  return { target: `${shard.name} by ${sentinel.name}`, run };
}

/** The masters of both shards at once: their file is one. */
function drawDoubleFailover(stage: Stage, random: Random): DrawnFault {
  const forMs = random.between(4_000, 7_000);
  const run = async () => {
    const masters = await Promise.all(stage.shards.map((shard) => masterOf(stage, shard)));
    await Promise.all(masters.map((master) => (master === undefined ? undefined : killFor(master, forMs))));
  };
  return { target: `both shards for ${forMs} ms`, run };
}

function drawDeletion(stage: Stage, random: Random, prefix: 'record/' | 'master/'): DrawnFault {
  const { name } = random.pick(stage.shards);
  return { target: name, run: () => stage.consul.delete(`/v1/kv/redis/${prefix}${name}`) };
}
