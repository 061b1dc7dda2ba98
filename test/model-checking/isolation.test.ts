import t from 'tap';
import { asksBesideReplica, planIsolation, silenceMs } from '../../lib/bridge/isolation/plan/plan.ts';
import { type IsolationReading, type IsolationState, isPaused, overOf } from '../../lib/bridge/isolation/plan/state.ts';
import { at } from '../bridge/plan/world.ts';

/*
 * Every order of cuts and heals of a master's three links, with a promotion at any moment that Sentinel allows, is explored. A replica
 * may follow a master that was replaced until Sentinel configures it again, as with parallel-syncs 1.
 */

/** A round in which nobody answers takes its time-outs. */
const stepMs = 450;
const downAfterMs = 5_000;
/** Older times make no difference; a replaced master is paused for 15 s. */
const oldestMs = 5_400;
const oldestAloneMs = 2_700;
const oldestPauseMs = 15_750;

interface World {
  readonly links: { readonly replica: boolean; readonly sentinels: boolean; readonly consul: boolean };
  /** How long ago the replica acknowledged, the Sentinels were last connected, and anybody was. */
  readonly ackAgeMs: number;
  readonly cutForMs: number;
  readonly aloneForMs: number;
  /** How long a replica has been heard, and nobody else. */
  readonly replicaAloneForMs: number;
  /** How long Consul has been heard, and nobody else. */
  readonly consulAloneForMs: number;
  /** `demoted`: the old master is a replica. */
  readonly failover: 'none' | 'promoted' | 'demoted';
  /** Whether the replica still follows this master. */
  readonly followed: boolean;
  /** The bridge has read a record that names another server. */
  readonly isRecorded: boolean;
  /** With times as ages, so that equal situations are equal. */
  readonly state: IsolationState | undefined;
}

const nowMs = 1_000_000;
const first: World = {
  links: { replica: true, sentinels: true, consul: true },
  ...{
    ackAgeMs: 0,
    cutForMs: 0,
    aloneForMs: 0,
    replicaAloneForMs: 0,
    consulAloneForMs: 0,
    failover: 'none',
    followed: true,
    isRecorded: false,
    state: undefined,
  },
};
const booleans = [true, false];
const cuts = booleans.flatMap((replica) =>
  booleans.flatMap((sentinels) => booleans.map((consul) => ({ replica, sentinels, consul }))),
);
const older = (ms: number) => Math.min(ms + stepMs, oldestMs);

interface Move {
  readonly links: World['links'];
  readonly failover: World['failover'];
  readonly followed: boolean;
}

/** Links change, a step passes, and the daemon reads. */
function advance(world: World, { links, failover, followed }: Move): World {
  const acks = links.replica && followed;
  const ackAgeMs = acks ? 0 : older(world.ackAgeMs);
  const isRecorded = failover === 'promoted' && (world.isRecorded || links.consul);
  // As readIsolation: Sentinels are asked during and after a pause, or if no replica acknowledges.
  const hears = links.sentinels && (!acks || asksBesideReplica(aged(world.state), nowMs));
  const reading: IsolationReading = {
    atMs: nowMs,
    server:
      failover === 'demoted' ? { kind: 'replica' } : { kind: 'master', ackAgeMs: Math.floor(ackAgeMs / 1_000) * 1_000 },
    sentinels: { known: 3, heard: links.sentinels ? 3 : 1 },
    consul: links.consul ? 'heard' : 'silent',
    ...{ replaceable: 'yes', maintenance: undefined },
    successor: failover === 'promoted' && (isRecorded || hears) ? at('B') : undefined,
    record: failover === 'none' && links.consul ? 'own' : isRecorded ? 'confirmed' : 'unknown',
  };
  const isReplicaAlone = ackAgeMs < 2_000 && !links.sentinels && !links.consul;
  const isAlone = !links.sentinels && !links.consul && !acks;
  return {
    ...{ links, ackAgeMs, failover, followed, isRecorded },
    cutForMs: links.sentinels ? 0 : older(world.cutForMs),
    aloneForMs: isAlone ? older(world.aloneForMs) : 0,
    consulAloneForMs: links.consul && !links.sentinels && !acks ? Math.min(world.consulAloneForMs + stepMs, 1_800) : 0,
    replicaAloneForMs: isReplicaAlone ? Math.min(world.replicaAloneForMs + stepMs, oldestAloneMs) : 0,
    state: planIsolation(aged(world.state), reading, { silenceMs: silenceMs(downAfterMs) }),
  };
}

// Every successor of a situation begins with the same state.
const agedStates = new WeakMap<IsolationState, IsolationState>();

function aged(state: IsolationState | undefined): IsolationState | undefined {
  if (state === undefined) return undefined;
  const known = agedStates.get(state) ?? ageState(state);
  agedStates.set(state, known);
  return known;
}

function ageState(state: IsolationState): IsolationState {
  const age = (ms: number, mostMs: number) => Math.max(ms - stepMs, nowMs - mostMs);
  const heard = 'heardMs' in state ? { heardMs: age(state.heardMs, oldestMs) } : {};
  const since = 'sinceMs' in state ? { sinceMs: age(state.sinceMs, oldestPauseMs) } : {};
  const replica = 'replicaMs' in state ? { replicaMs: ageOf(state.replicaMs, (ms) => age(ms, oldestAloneMs)) } : {};
  const released = 'releasedMs' in state ? { releasedMs: ageOf(state.releasedMs, (ms) => age(ms, oldestMs)) } : {};
  const consul = 'consulMs' in state ? { consulMs: ageOf(state.consulMs, (ms) => age(ms, oldestMs)) } : {};
  const rounds = 'rounds' in state ? { rounds: Math.min(state.rounds, 3) } : {};
  return {
    ...state,
    ...heard,
    ...since,
    ...replica,
    ...released,
    ...consul,
    ...rounds,
    atMs: nowMs - stepMs,
  } as IsolationState;
}

function ageOf(ms: number | undefined, age: (ms: number) => number): number | undefined {
  return ms === undefined ? undefined : age(ms);
}

function successorsOf(world: World): readonly World[] {
  return cuts.flatMap((links) => {
    const later = [world.failover];
    // Sentinel counts from its last PING that was answered, up to a second before the cut.
    if (world.failover === 'none' && world.cutForMs >= downAfterMs - 1_000) later.push('promoted');
    if (world.failover === 'promoted' && links.sentinels) later.push('demoted');
    return later.flatMap((failover) =>
      following(world, failover).map((followed) => advance(world, { links, failover, followed })),
    );
  });
}

/** Once the other replica is promoted, this one follows the new master at any time, but never this one again. */
function following({ followed }: World, failover: World['failover']): readonly boolean[] {
  if (failover === 'none') return [true];
  return failover === 'promoted' && followed ? booleans : [false];
}

function findFault(before: World, after: World): string | undefined {
  const { links, ackAgeMs, aloneForMs, failover, followed, state } = after;
  const paused = isPaused(state);
  const acked = links.replica && followed;
  if (failover === 'demoted' && paused) return 'a replica is paused';
  // A pause outlasts the return of a replica alone by 2 s, and that of Consul alone by 1 s.
  const isEndingBy = (forMs: number, limitMs: number) => forMs > 0 && forMs <= limitMs + stepMs;
  const isEnding = isEndingBy(after.replicaAloneForMs, 2_000) || isEndingBy(after.consulAloneForMs, 1_000);
  const outlasts = isPaused(before.state) && isEnding;
  if (failover === 'none' && paused && !outlasts && (acked || links.sentinels || links.consul))
    return 'a connected master is paused';
  if (failover === 'demoted') return undefined;
  if (aloneForMs >= 4_050 && ackAgeMs >= 4_050 && !paused) return 'a master that is cut off accepts writes';
  // The bound of a pause that nobody ends.
  if (overOf(state) !== undefined) return undefined;
  if (failover !== 'promoted' || paused) return undefined;
  // Whoever was paused acknowledges nothing before it is a replica, unless only a replica is heard, for 2 s.
  if (isPaused(before.state) && after.replicaAloneForMs < 2_000) return 'a replaced master was released';
  if (links.consul && isKnown(before.state)) return 'a replaced master accepts writes although it hears Consul';
  if (links.sentinels && (!acked || asksBesideReplica(aged(before.state), nowMs)) && isKnown(before.state))
    return 'a replaced master accepts writes although it hears its Sentinels';
  return undefined;
}

function isKnown(state: IsolationState | undefined): boolean {
  return state !== undefined && state.kind !== 'inactive';
}

t.test('in no order of cuts and heals does an isolated master acknowledge, or a connected one wait', (t) => {
  const seen = new Set([JSON.stringify(first)]);
  const faults = new Set<string>();
  let reached: readonly World[] = [first];
  while (reached.length > 0) {
    const next: World[] = [];
    for (const before of reached) {
      for (const after of successorsOf(before)) {
        const fault = findFault(before, after);
        if (fault !== undefined) faults.add(fault);
        const key = JSON.stringify(after);
        if (seen.has(key)) continue;
        seen.add(key);
        next.push(after);
      }
    }
    reached = next;
  }
  t.strictSame([...faults], []);
  t.comment(`${seen.size} situations`);
  t.ok(seen.size > 1_000);
  t.end();
});
