import { majorityOf } from '../../../model/epoch.ts';
import {
  type Contact,
  type InactiveReason,
  type IsolationReading,
  type IsolationState,
  isOver,
  isPaused,
  type OverReason,
  overOf,
  type Paused,
} from './state.ts';

/** INFO gives the age in whole seconds, and a replica acknowledges once a second: an age of 1 s is usual. */
const freshAckMs = 1_000;
/** One lost packet is no isolation. */
const fewestRounds = 2;
/**
 * How long nobody may be heard where Consul alone was heard before, for as long as the usual silence: a promotion may begin any
 * moment, and Consul cannot report it any more.
 */
const lateSilenceMs = 500;
/** After a longer pause of this process, what was heard before says nothing: the silence begins again. */
const longestGapMs = 3_000;
/** A process that does not answer for this long has probably ended. It acknowledges nothing. */
const longestUnansweredMs = 10_000;
/** The fence waits as long before it demotes a former master (lib/bridge/fencing/plan.ts). */
const longestReplacedMs = 15_000;
/** A promotion that is not confirmed by then may have failed: the old master is needed. */
const longestUnconfirmedMs = 5_000;
/** A replica may follow a master that was replaced: the others get this long to answer before it alone ends a pause. */
const replicaAloneMs = 2_000;
/** A promotion during the silence may not be in Consul yet: other bridges get this long to write it before Consul alone ends a pause. */
const consulAloneMs = 1_000;
/** After a pause, the others are asked for this long, whoever answers. */
const askAfterPauseMs = 5_000;

/** Whether the reading needs no further answers. */
export function hearsReplica({ server }: Pick<IsolationReading, 'server'>): boolean {
  return server.kind === 'master' && server.ackAgeMs !== undefined && server.ackAgeMs <= freshAckMs;
}

/**
 * How long nobody may be heard: Sentinel promotes nobody before `down-after-milliseconds` have passed, less the second between
 * two of its PINGs. With 5 s and more, the pause comes 2 to 5 s after the cut: INFO counts an acknowledgement as new for up to 2 s, and
 * two rounds need their time-outs.
 */
export function silenceMs(downAfterMs: number): number {
  return Math.min(2_000, Math.max(1_000, downAfterMs * 0.4));
}

/** The state after one more round. */
export function planIsolation(
  before: IsolationState | undefined,
  reading: IsolationReading,
  options: { readonly silenceMs: number },
): IsolationState {
  const { atMs } = reading;
  const over = lastingOver(before, reading);
  const kept = over === undefined ? {} : { over };
  const why = whyInactive(before, reading);
  if (why !== undefined) return { kind: 'inactive', why, ...(why === 'replica' ? {} : kept), atMs };
  const by = findContact(reading);
  if (by !== undefined && over !== undefined)
    return planAlone(before, reading) ?? { kind: 'inactive', why: over, atMs };
  if (by !== undefined) return planContact(before, { by, reading });
  if (before?.kind === 'isolated' || before?.kind === 'replaced') return planRenewal(before, atMs);
  const heardMs = lastHeardMs(before, reading);
  const consulMs = consulSinceMs(before, reading);
  const isLate = consulMs !== undefined && heardMs - consulMs >= options.silenceMs;
  const rounds = before?.kind === 'silent' && !isGap(before, atMs) ? before.rounds + 1 : 1;
  if (rounds >= fewestRounds && atMs - heardMs >= (isLate ? lateSilenceMs : options.silenceMs))
    return { kind: 'isolated', sinceMs: atMs, heardMs, ...kept, atMs };
  return { kind: 'silent', rounds, heardMs, ...(consulMs === undefined ? {} : { consulMs }), ...kept, atMs };
}

/**
 * What to do about the writes. A pause that is neither renewed nor released ends by itself. A release ends the pauses of others too: of
 * a bridge that carries out the failover by which the master is replaced.
 */
export function planWrites(before: IsolationState | undefined, after: IsolationState): 'pause' | 'release' | 'nothing' {
  if (isPaused(after)) return 'pause';
  if (!isPaused(before)) return 'nothing';
  const why = after.kind === 'inactive' ? after.why : undefined;
  const isLeft = why === 'replaced for too long' || (why === 'maintenance' && before.kind === 'replaced');
  return isLeft ? 'nothing' : 'release';
}

/** Whether the others are asked although a replica acknowledges: it may follow a master that was replaced. */
export function asksBesideReplica(state: IsolationState | undefined, nowMs: number): boolean {
  if (isPaused(state) || overOf(state) !== undefined) return true;
  return state?.kind === 'connected' && state.releasedMs !== undefined && nowMs - state.releasedMs < askAfterPauseMs;
}

function whyInactive(before: IsolationState | undefined, reading: IsolationReading): InactiveReason | undefined {
  const { server, sentinels, replaceable, maintenance } = reading;
  if (maintenance !== undefined) return 'maintenance';
  if (server.kind === 'replica') return 'replica';
  // A master that is too busy to answer stays what it was. One that was never seen as a master is left alone.
  const isKnown = before !== undefined && (before.kind !== 'inactive' || isOver(before));
  if (server.kind === 'unanswered' && !isPaused(before) && (!isKnown || server.forMs >= longestUnansweredMs))
    return 'not answered';
  if (sentinels.known === 0) return 'no sentinels';
  return replaceable === 'no' ? 'no replicas' : undefined;
}

/** Until it is known how the replacement ended. A missing answer does not permit another pause for it, but a new isolation does. */
function lastingOver(
  before: IsolationState | undefined,
  { successor, record }: IsolationReading,
): OverReason | undefined {
  const over = overOf(before);
  if (over === 'successor unconfirmed' && record === 'confirmed') return undefined;
  return successor === undefined && record === 'own' ? undefined : over;
}

function findContact(reading: IsolationReading): Contact | undefined {
  return hearsReplica(reading) ? 'replica' : findOther(reading);
}

function findOther({ sentinels, consul }: IsolationReading): Contact | undefined {
  if (sentinels.heard !== 'unasked' && sentinels.heard >= majorityOf(sentinels.known)) return 'sentinels';
  return consul === 'heard' ? 'consul' : undefined;
}

function planContact(
  before: IsolationState | undefined,
  { by, reading }: { readonly by: Contact; readonly reading: IsolationReading },
): IsolationState {
  const { atMs, successor } = reading;
  const isProven = successor !== 'being promoted' && (before?.kind === 'connected' || before?.kind === 'silent');
  const sinceMs = before?.kind === 'replaced' ? before.sinceMs : atMs;
  if (successor === undefined || !(isPaused(before) || isProven))
    return planAlone(before, reading) ?? planConnection(before, { by, reading });
  if (atMs - sinceMs >= longestReplacedMs) return { kind: 'inactive', why: 'replaced for too long', atMs };
  if (reading.record === 'promoted' && atMs - sinceMs >= longestUnconfirmedMs)
    return { kind: 'inactive', why: 'successor unconfirmed', atMs };
  const heard = before?.kind === 'isolated' ? 'isolation' : 'connection';
  const after = before?.kind === 'replaced' ? before.after : heard;
  return { kind: 'replaced', after, successor, by, sinceMs, atMs };
}

/** The pause continues until a replica, or Consul, has been heard alone for long enough. */
function planAlone(before: IsolationState | undefined, reading: IsolationReading): IsolationState | undefined {
  if (!isPaused(before)) return undefined;
  const other = findOther(reading);
  if (other === undefined) return planReplicaAlone(before, reading);
  // After a pause for a successor, what Consul says about it decides.
  const isFirst = before.kind === 'isolated' && before.over === undefined;
  return isFirst && other === 'consul' && !hearsReplica(reading) ? planConsulAlone(before, reading) : undefined;
}

function planConsulAlone(
  before: Extract<Paused, { kind: 'isolated' }>,
  { atMs }: IsolationReading,
): IsolationState | undefined {
  const consulMs = isGap(before, atMs) ? atMs : (before.consulMs ?? atMs);
  return atMs - consulMs >= consulAloneMs ? undefined : { ...before, replicaMs: undefined, consulMs, atMs };
}

function planReplicaAlone(before: Paused, reading: IsolationReading): IsolationState | undefined {
  const { atMs } = reading;
  if (before.kind === 'replaced' && atMs - before.sinceMs >= longestReplacedMs)
    return { kind: 'inactive', why: 'replaced for too long', atMs };
  const replicaMs = isGap(before, atMs) ? atMs : (before.replicaMs ?? atMs);
  if (atMs - replicaMs >= replicaAloneMs) return undefined;
  return { ...before, replicaMs, ...(before.kind === 'isolated' ? { consulMs: undefined } : {}), atMs };
}

function planConnection(
  before: IsolationState | undefined,
  { by, reading }: { readonly by: Contact; readonly reading: IsolationReading },
): IsolationState {
  const { atMs } = reading;
  const isRecent = before?.kind === 'connected' && asksBesideReplica(before, atMs);
  const releasedMs = isPaused(before) ? atMs : isRecent ? before.releasedMs : undefined;
  const consulMs = by === 'consul' ? { consulMs: consulSinceMs(before, reading) ?? atMs } : {};
  return {
    kind: 'connected',
    by,
    heardMs: atMs,
    ...consulMs,
    ...(releasedMs === undefined ? {} : { releasedMs }),
    atMs,
  };
}

/** Since when nobody but Consul was heard. A silence in between does not end that, an acknowledgement does. */
function consulSinceMs(before: IsolationState | undefined, { atMs, server }: IsolationReading): number | undefined {
  if ((before?.kind !== 'connected' && before?.kind !== 'silent') || isGap(before, atMs)) return undefined;
  const ackedMs = server.kind === 'master' && server.ackAgeMs !== undefined ? atMs - server.ackAgeMs : 0;
  return before.consulMs === undefined ? undefined : Math.max(before.consulMs, ackedMs);
}

/** A replaced master that hears nobody again may have been cut off again. */
function planRenewal(before: Paused, atMs: number): IsolationState {
  if (before.kind === 'isolated') return { ...before, replicaMs: undefined, consulMs: undefined, atMs };
  return { kind: 'isolated', sinceMs: atMs, heardMs: before.atMs, atMs };
}

function lastHeardMs(before: IsolationState | undefined, { atMs, server }: IsolationReading): number {
  const heardMs = before === undefined || isGap(before, atMs) ? undefined : heardBy(before);
  if (heardMs === undefined) return atMs;
  if (server.kind !== 'master' || server.ackAgeMs === undefined) return heardMs;
  return Math.max(atMs - server.ackAgeMs, heardMs);
}

/** When somebody was heard last. A replaced master is paused no more only while somebody is heard. */
function heardBy(state: IsolationState): number | undefined {
  if ('heardMs' in state) return state.heardMs;
  return isOver(state) ? state.atMs : undefined;
}

function isGap(before: IsolationState, atMs: number): boolean {
  return atMs - before.atMs > longestGapMs;
}
