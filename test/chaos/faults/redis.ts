import { setTimeout as lasting } from 'node:timers/promises';
import type { RedisServer, Shard } from '../../sandbox/redis.ts';
import type { Random } from '../random.ts';
import type { Stage } from '../stage.ts';
import {
  type DrawnFault,
  drawAtShard,
  drawOne,
  type Fault,
  freezeFor,
  killFor,
  masterOf,
  restartAfter,
} from './fault.ts';

const theMaster = (_: Shard, master: RedisServer) => [master];
const theReplicas = (shard: Shard, master: RedisServer) => shard.servers.filter((server) => server !== master);
/** Long enough for Sentinel to fail over. */
const lastingOutage = { lowMs: 4_000, highMs: 7_000 };
const allServers = (stage: Stage) => stage.shards.flatMap(({ servers }) => servers);

/** Faults of the Redis servers. */
export const redisFaults: readonly Fault[] = [
  {
    name: 'kill-master',
    hazard: 'unreplicated',
    draw: (stage, random) => drawAtShard(stage, random, { span: lastingOutage, choose: theMaster, act: killFor }),
  },
  {
    name: 'freeze-master',
    hazard: 'unreplicated',
    draw: (stage, random) =>
      drawAtShard(stage, random, { span: { lowMs: 200, highMs: 5_000 }, choose: theMaster, act: freezeFor }),
  },
  {
    name: 'restart-master',
    hazard: 'unreplicated',
    draw: (stage, random) =>
      drawAtShard(stage, random, { span: { lowMs: 0, highMs: 6_000 }, choose: theMaster, act: restartAfter }),
  },
  {
    name: 'kill-server',
    hazard: 'unreplicated',
    draw: (stage, random) => drawOne(allServers(stage), random, { span: { lowMs: 500, highMs: 4_000 }, act: killFor }),
  },
  {
    name: 'freeze-server',
    hazard: 'unreplicated',
    draw: (stage, random) =>
      drawOne(allServers(stage), random, { span: { lowMs: 200, highMs: 4_000 }, act: freezeFor }),
  },
  {
    name: 'kill-replicas',
    hazard: 'none',
    draw: (stage, random) =>
      drawAtShard(stage, random, { span: { lowMs: 500, highMs: 4_000 }, choose: theReplicas, act: killFor }),
  },
  { name: 'pause-clients', hazard: 'unreplicated', draw: drawClientPause },
  { name: 'promote-by-hand', hazard: 'none', draw: drawPromotion },
  { name: 'double-failover', hazard: 'unreplicated', draw: drawDoubleFailover },
];

function drawClientPause(stage: Stage, random: Random): DrawnFault {
  const mode = random.pick(['WRITE', 'ALL'] as const);
  const act = async (server: RedisServer, forMs: number) => {
    await server.command('CLIENT', 'PAUSE', forMs, mode);
    await lasting(forMs);
  };
  const drawn = drawAtShard(stage, random, { span: { lowMs: 200, highMs: 4_000 }, choose: theMaster, act });
  return { ...drawn, target: `${drawn.target}, ${mode}` };
}

/** A replica that somebody makes a master; Sentinel makes it a replica again. */
function drawPromotion(stage: Stage, random: Random): DrawnFault {
  const [shard, which] = [random.pick(stage.shards), random.pick([0, 1])];
  const run = async () => {
    const master = await masterOf(stage, shard);
    if (master !== undefined) await theReplicas(shard, master)[which]?.command('REPLICAOF', 'NO', 'ONE');
  };
  return { target: `a replica of ${shard.name}`, run };
}

/** The masters of both shards at once, because their file is one. */
function drawDoubleFailover(stage: Stage, random: Random): DrawnFault {
  const forMs = random.between(lastingOutage.lowMs, lastingOutage.highMs);
  const run = async () => {
    const masters = await Promise.all(stage.shards.map((shard) => masterOf(stage, shard)));
    await Promise.all(masters.map((master) => (master === undefined ? undefined : killFor(master, forMs))));
  };
  return { target: `both shards for ${forMs} ms`, run };
}
