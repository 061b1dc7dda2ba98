import { setTimeout as lasting } from 'node:timers/promises';
import { type Address, formatAddress } from '../../../lib/model/address.ts';
import type { SentinelServer } from '../../sandbox/sentinel.ts';
import type { Random } from '../random.ts';
import { failoverTimeoutMs, hastenSentinel, type Stage, token } from '../stage.ts';
import { type DrawnFault, drawOne, type Fault, freezeFor, killFor, masterOf, restartAfter } from './fault.ts';

const short = { lowMs: 200, highMs: 4_000 };

/** Faults of the Sentinels, and failovers that an operator orders. */
export const sentinelFaults: readonly Fault[] = [
  {
    name: 'kill-sentinel',
    hazard: 'none',
    draw: (stage, random) => drawOne(stage.sentinels, random, { span: short, act: hastened(killFor) }),
  },
  {
    name: 'freeze-sentinel',
    hazard: 'none',
    draw: (stage, random) => drawOne(stage.sentinels, random, { span: short, act: freezeFor }),
  },
  {
    name: 'restart-sentinel',
    hazard: 'none',
    draw: (stage, random) => drawOne(stage.sentinels, random, { span: short, act: hastened(restartAfter) }),
  },
  { name: 'kill-two-sentinels', hazard: 'none', draw: drawTwoDead },
  { name: 'wipe-sentinel', hazard: 'none', draw: drawWipe },
  { name: 'reset-sentinel', hazard: 'none', draw: drawReset },
  { name: 'monitor-again', hazard: 'none', draw: drawNewMonitor },
  { name: 'planned-failover', hazard: 'none', draw: drawPlannedFailover },
  { name: 'sentinel-failover', hazard: 'unreplicated', draw: drawSentinelFailover },
  { name: 'two-failovers', hazard: 'unreplicated', draw: drawTwoFailovers },
];

type Act = (sentinel: SentinelServer, forMs: number) => Promise<void>;

function hastened(act: Act): Act {
  return async (sentinel, forMs) => {
    await act(sentinel, forMs);
    await hastenSentinel(sentinel);
  };
}

function drawTwoDead(stage: Stage, random: Random): DrawnFault {
  const spared = random.pick(stage.sentinels);
  const forMs = random.between(short.lowMs, short.highMs);
  const others = stage.sentinels.filter((sentinel) => sentinel !== spared);
  const run = async () => void (await Promise.all(others.map((sentinel) => hastened(killFor)(sentinel, forMs))));
  return { target: `all but ${spared.name} for ${forMs} ms`, run };
}

/** A Sentinel that is built again: with the current master, or with the config that it had in the beginning. */
function drawWipe(stage: Stage, random: Random): DrawnFault {
  const [sentinel, config] = [random.pick(stage.sentinels), random.pick(['current', 'first'] as const)];
  const forMs = random.between(short.lowMs, short.highMs);
  const run = async () => {
    if (!sentinel.running) return;
    const masters = new Map<string, Address>();
    for (const shard of config === 'current' ? stage.shards : []) {
      const master = await masterOf(stage, shard);
      if (master !== undefined) masters.set(shard.name, master.address);
    }
    await sentinel.kill();
    sentinel.wipe(masters);
    await lasting(forMs);
    if (!sentinel.running) await sentinel.start();
    await hastenSentinel(sentinel);
  };
  return { target: `${sentinel.name} for ${forMs} ms, ${config} masters`, run };
}

function drawReset(stage: Stage, random: Random): DrawnFault {
  const [sentinel, { name }] = [random.pick(stage.sentinels), random.pick(stage.shards)];
  return { target: `${name} at ${sentinel.name}`, run: async () => void (await ask(sentinel, 'RESET', name)) };
}

/** `SENTINEL REMOVE` and `MONITOR`: this Sentinel begins its epochs of the master again. */
function drawNewMonitor(stage: Stage, random: Random): DrawnFault {
  const [sentinel, shard] = [random.pick(stage.sentinels), random.pick(stage.shards)];
  const run = async () => {
    const master = await masterOf(stage, shard);
    if (master === undefined) return;
    await ask(sentinel, 'REMOVE', shard.name);
    await monitor(sentinel, shard.name, master.address);
  };
  return { target: `${shard.name} at ${sentinel.name}`, run };
}

/** Has a Sentinel monitor a master that it does not know. */
export async function monitor(sentinel: SentinelServer, name: string, { host, port }: Address): Promise<void> {
  await ask(sentinel, 'MONITOR', name, host, port, 2);
  const settings = ['down-after-milliseconds', 1_000, 'failover-timeout', failoverTimeoutMs, 'parallel-syncs', 1];
  await ask(sentinel, 'SET', name, ...settings);
}

function drawPlannedFailover(stage: Stage, random: Random): DrawnFault {
  const [shard, daemon] = [random.pick(stage.shards), random.pick(stage.bridges)];
  const run = async () => {
    const url = `http://${formatAddress(daemon.api)}/v1/masters/${shard.name}/failover`;
    const headers = { authorization: `Bearer ${token}` };
    // Sentinel may refuse: another fault may prevent the failover.
    await fetch(url, { method: 'POST', headers, signal: AbortSignal.timeout(20_000) }).catch(() => undefined);
  };
  return { target: `${shard.name} by ${daemon.name}`, run };
}

function drawSentinelFailover(stage: Stage, random: Random): DrawnFault {
  const [shard, sentinel] = [random.pick(stage.shards), random.pick(stage.sentinels)];
  return { target: `${shard.name} by ${sentinel.name}`, run: () => ask(sentinel, 'FAILOVER', shard.name) };
}

/** Two Sentinels lead a failover each, perhaps at one epoch. */
function drawTwoFailovers(stage: Stage, random: Random): DrawnFault {
  const [shard, spared] = [random.pick(stage.shards), random.pick(stage.sentinels)];
  const others = stage.sentinels.filter((sentinel) => sentinel !== spared);
  const run = async () => void (await Promise.all(others.map((other) => ask(other, 'FAILOVER', shard.name))));
  return { target: `${shard.name} by all but ${spared.name}`, run };
}

/** Sentinel may refuse, or not answer. */
async function ask(sentinel: SentinelServer, ...args: (string | number)[]): Promise<void> {
  await sentinel.command('SENTINEL', ...args).catch(() => undefined);
}
