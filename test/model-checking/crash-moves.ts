import { decideCrash } from '../../lib/bridge/plan/crash.ts';
import { type CrashBudget, type CrashWorld, type JudgingState, situationOf } from './crash-world.ts';
import { replace } from './state.ts';

export interface CrashMove {
  readonly name: string;
  readonly to: CrashWorld;
}

/** A guard that a test takes away, to see that something breaks. */
export type Guard =
  /** A majority of the bridges must see the crash. */
  | 'other bridges'
  /** The note in Consul is written by check-and-set on what was read under the lease. */
  | 'check-and-set'
  /** An order within failover-timeout of the last one is refused. */
  | 'last order'
  /** Maintenance is looked up again after the note, directly before the order. */
  | 'maintenance'
  /** A refused order takes the note back. */
  | 'cancellation'
  /** A connect that is accepted takes the evidence back. */
  | 'withdrawal';

/** Every step that a bridge may do next. Throws where it orders what it must not. */
export function judgingMoves(world: CrashWorld, without?: Guard): readonly CrashMove[] {
  return world.bridges.flatMap((bridge, b) => [
    ...connect(world, b, without),
    ...learn(world, b),
    ...takeLease(world, b),
    ...(bridge.lease === undefined || bridge.isDone ? [] : claim(world, b, without)),
    ...order(world, b, without),
  ]);
}

/** What is no decision of a bridge: each as often as the budget allows, in any order. */
export function crashFaults(world: CrashWorld): readonly CrashMove[] {
  const { master, failover, consul, bridges } = world;
  const moves = [
    fault(world, 'deaths', 'A dies', master === 'up' ? { master: 'gone' } : undefined),
    fault(world, 'returns', 'A returns', master === 'gone' ? { master: 'up' } : undefined),
    fault(world, 'cuts', 'only bridges reach A', world.isCut ? undefined : { isCut: true }),
    fault(world, 'maintenance', 'maintenance changes', {
      consul: { ...consul, maintenance: !consul.maintenance },
      mayBeClaimed: true,
    }),
  ];
  const ofBridges = bridges.flatMap((bridge, b) => [
    fault(world, 'rejections', `A's host rejects bridge ${b}`, with_(world, b, { ...bridge, isRejected: true })),
    // Its session ends, and it does not know that yet.
    fault(
      world,
      'leaseLosses',
      `bridge ${b} loses the lease`,
      consul.holder === b ? { consul: { ...consul, holder: undefined }, mayBeClaimed: true } : undefined,
    ),
    fault(world, 'bridgeDeaths', `bridge ${b} restarts`, restarted(world, b)),
  ]);
  const ends: CrashMove[] =
    failover === 'running' ? [{ name: 'B is master, and recorded', to: { ...world, failover: 'done' } }] : [];
  return [...moves, ...ofBridges].flatMap((move) => move ?? []).concat(ends);
}

function fault(
  world: CrashWorld,
  kind: keyof CrashBudget,
  name: string,
  change: Partial<CrashWorld> | undefined,
): CrashMove | undefined {
  if (change === undefined || world.budget[kind] === 0) return undefined;
  const budget = { ...world.budget, [kind]: world.budget[kind] - 1 };
  return { name, to: { ...world, ...change, budget } };
}

function with_(world: CrashWorld, b: number, bridge: JudgingState): Partial<CrashWorld> {
  return { bridges: replace(world.bridges, b, bridge) };
}

function put(world: CrashWorld, b: number, bridge: JudgingState, name: string): CrashMove {
  return { name: `bridge ${b} ${name}`, to: { ...world, ...with_(world, b, bridge) } };
}

function restarted(world: CrashWorld, b: number): Partial<CrashWorld> {
  const { lacksRight, isRejected } = world.bridges[b] as JudgingState;
  const fresh: JudgingState = {
    ...{ connect: 'connected', isPublished: false, others: 'unread', knowsMaintenance: world.consul.maintenance },
    ...{ isDone: false, lacksRight, isRejected },
  };
  const holder = world.consul.holder === b ? undefined : world.consul.holder;
  return { ...with_(world, b, fresh), consul: { ...world.consul, holder }, mayBeClaimed: true };
}

/** Its next connect, and what follows at once: evidence, or its end. */
function connect(world: CrashWorld, b: number, without?: Guard): readonly CrashMove[] {
  const bridge = world.bridges[b] as JudgingState;
  const isRefused = world.master === 'gone' || bridge.isRejected;
  if (isRefused && bridge.connect === 'connected')
    return [put(world, b, { ...bridge, connect: 'refused', isPublished: true, isDone: false }, 'is refused')];
  if (isRefused || bridge.connect === 'connected') return [];
  const { lease: _, claim: _claim, ...rest } = bridge;
  const kept = without === 'withdrawal' && bridge.isPublished;
  const done = { ...rest, connect: 'connected' as const, isPublished: kept, others: 'unread' as const, isDone: false };
  const holder = world.consul.holder === b ? undefined : world.consul.holder;
  const { name, to } = put(world, b, done, 'is accepted');
  const left = bridge.claim !== undefined || world.mayBeClaimed;
  return [{ name, to: { ...to, consul: { ...world.consul, holder }, mayBeClaimed: left } }];
}

/** It asks the Sentinels and the replicas again and again, and follows the key of maintenance. */
function learn(world: CrashWorld, b: number): readonly CrashMove[] {
  const bridge = world.bridges[b] as JudgingState;
  const { maintenance } = world.consul;
  const informed = { ...bridge, knowsMaintenance: maintenance, isDone: false };
  const news = bridge.knowsMaintenance === maintenance ? [] : [put(world, b, informed, 'learns of maintenance')];
  if (bridge.connect !== 'refused') return news;
  const isLinked = world.master === 'up' && !world.isCut;
  const seen = { none: isLinked ? 'linked' : 'unlinked', running: 'failing-over', done: 'replaced' } as const;
  const others = seen[world.failover];
  return others === bridge.others ? news : [...news, put(world, b, { ...bridge, others }, `sees ${others}`)];
}

function takeLease(world: CrashWorld, b: number): readonly CrashMove[] {
  const bridge = world.bridges[b] as JudgingState;
  const { holder, order } = world.consul;
  if (bridge.connect !== 'refused' || bridge.isDone || bridge.lease !== undefined || holder !== undefined) return [];
  const { name, to } = put(world, b, { ...bridge, lease: order }, 'takes the lease');
  return [{ name, to: { ...to, consul: { ...world.consul, holder: b } } }];
}

/** It decides, and notes in Consul that it orders the failover. */
function claim(world: CrashWorld, b: number, without?: Guard): readonly CrashMove[] {
  const bridge = world.bridges[b] as JudgingState;
  if (bridge.connect !== 'refused' || bridge.others === 'unread' || bridge.claim !== undefined) return [];
  const situation = situationOf(world, b, { alone: without === 'other bridges' });
  const { kind } = decideCrash(without === 'last order' ? { ...situation, lastOrderAgeMs: undefined } : situation);
  if (kind === 'wait') return [];
  if (kind !== 'order') return [end(world, b, 'orders nothing')];
  const isAlone = world.bridges.every((other, n) => n === b || other.connect === 'connected');
  if (world.master === 'up' && isAlone) throw new Error('an order about a process that lives');
  const { order } = world.consul;
  if (order.index !== bridge.lease?.index && without !== 'check-and-set') return [end(world, b, 'comes second')];
  const index = order.index + 1;
  const claimed = { ...bridge, claim: { index, wasRecent: order.isRecent } };
  const { name, to } = put(world, b, claimed, 'notes its order');
  return [{ name, to: { ...to, consul: { ...world.consul, order: { index, isRecent: true } } } }];
}

/** What it has noted: from here on nothing but maintenance stops it. */
function order(world: CrashWorld, b: number, without?: Guard): readonly CrashMove[] {
  const bridge = world.bridges[b] as JudgingState;
  if (bridge.claim === undefined || bridge.isDone) return [];
  if (bridge.knowsMaintenance && without !== 'maintenance') return [end(world, b, 'leaves it: maintenance')];
  if (bridge.lacksRight) return [cancel(world, b, without)];
  if (bridge.knowsMaintenance) throw new Error('an order in maintenance');
  const ended = end(world, b, 'orders');
  const accepted = { ...ended.to, accepted: world.accepted + 1, failover: 'running' as const };
  if (accepted.accepted > 1) throw new Error('two orders within failover-timeout');
  const given = { name: ended.name, to: accepted };
  if (world.budget.lostAnswers === 0) return [given];
  const lost = fault({ ...ended.to, mayBeClaimed: true }, 'lostAnswers', `the order of bridge ${b} is lost`, {});
  return lost === undefined ? [given] : [given, lost];
}

function end(world: CrashWorld, b: number, name: string): CrashMove {
  const { lease: _, claim: _claim, ...rest } = world.bridges[b] as JudgingState;
  const holder = world.consul.holder === b ? undefined : world.consul.holder;
  const move = put(world, b, { ...rest, isDone: true }, name);
  return { name: move.name, to: { ...move.to, consul: { ...world.consul, holder } } };
}

function cancel(world: CrashWorld, b: number, without?: Guard): CrashMove {
  const { claim: noted } = world.bridges[b] as JudgingState;
  const { name, to } = end(world, b, 'is refused the order');
  const isLast = noted?.index === world.consul.order.index;
  if (without === 'cancellation' || noted === undefined || !isLast) return { name, to };
  const order = { index: noted.index + 1, isRecent: noted.wasRecent };
  return { name, to: { ...to, consul: { ...to.consul, order } } };
}
