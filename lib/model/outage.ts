import { type Address, sameAddress } from './address.ts';
import type { MasterCheckCode } from './master-check.ts';
import { isSelectable } from './replica-selection.ts';
import { type ReplicaView, type SentinelView, sentinelDefaults } from './sentinel.ts';

/* How long a master has been objectively down or failed over, and whether the failover can still succeed. */

/** What a bridge has seen of it. Times are milliseconds of one clock. */
export interface Outage {
  readonly master: Address;
  readonly sinceMs: number;
  /** The time that Sentinel has for the failover. */
  readonly limitMs: number;
  readonly failover: 'awaited' | 'begun';
}

/**
 * `under-way`: a failover is expected or runs; `no-candidate`: no replica can be promoted; `given-up`: Sentinel aborted the
 * failover; `overdue`: it takes longer than `failover-timeout`.
 */
type OutageStage = 'under-way' | 'no-candidate' | 'given-up' | 'overdue';

export interface JudgedOutage {
  readonly master: Address;
  readonly stage: OutageStage;
  /** After this time the stage changes without any event. */
  readonly leftMs?: number;
}

interface HeldCheck {
  readonly code?: MasterCheckCode | undefined;
}

/** Sentinel begins a failover up to a second after `+odown` (sentinel.c, SENTINEL_MAX_DESYNC). */
const startDelayMs = 1_000;
/** With Sentinel's default of failover-timeout. */
const usualLimitMs = sentinelDefaults.failoverTimeoutMs + startDelayMs;

/**
 * The outage of `master` after the Sentinels were asked; undefined if there is none. A Sentinel reports how long the
 * master has been objectively down, so that bridges agree, and a restarted bridge knows it. A failover that was ordered
 * begins when the bridge first sees it. While no Sentinel answers, the outage stays; a restarted bridge knows it by the check.
 */
export function trackOutage(
  last: Outage | undefined,
  observed: {
    readonly master: Address;
    readonly views: readonly SentinelView[];
    readonly nowMs: number;
    /** The check of this master in Consul. */
    readonly held: HeldCheck | undefined;
  },
): Outage | undefined {
  const { master, nowMs } = observed;
  const known = last !== undefined && sameAddress(last.master, master) ? last : undefined;
  const views = viewsOf(master, observed.views);
  if (views.length === 0)
    return (
      known ??
      (isOutage(observed.held) ? { master, sinceMs: nowMs, limitMs: usualLimitMs, failover: 'awaited' } : undefined)
    );
  const failing = views.filter(({ condition }) => condition === 'o_down' || condition === 'failover');
  if (failing.length === 0) return undefined;
  const downForMs = Math.max(0, ...failing.map((view) => view.downForMs ?? 0));
  const timeouts = views.flatMap(({ failoverTimeoutMs }) => failoverTimeoutMs ?? []);
  const begun = known?.failover === 'begun' || failing.some(({ condition }) => condition === 'failover');
  return {
    master,
    sinceMs: Math.min(known?.sinceMs ?? nowMs, nowMs - downForMs),
    limitMs: timeouts.length === 0 ? usualLimitMs : Math.max(...timeouts) + startDelayMs,
    failover: begun ? 'begun' : 'awaited',
  };
}

/**
 * Whether the failover can still succeed. A failover that any bridge has judged as given up or overdue, by the check that
 * Consul holds, stays so until the outage ends: bridges that see it at different times do not contradict each other.
 */
export function judgeOutage(
  outage: Outage,
  observed: {
    readonly views: readonly SentinelView[];
    readonly knownSentinels: number;
    /** The check of this master in Consul. */
    readonly held: HeldCheck | undefined;
    readonly nowMs: number;
  },
): JudgedOutage {
  const { master } = outage;
  const views = viewsOf(master, observed.views);
  const kept = finalStage(observed.held, views);
  if (kept !== undefined) return { master, stage: kept };
  // Sentinel does not abort a failover any more once it has seen the replica as a master.
  if (views.some(({ promotion }) => promotion === 'seen')) return { master, stage: 'under-way' };
  if (views.length > 0 && !views.some(canPromote)) return { master, stage: 'no-candidate' };
  const leftMs = outage.sinceMs + outage.limitMs - observed.nowMs;
  if (leftMs <= 0) return { master, stage: 'overdue' };
  const ended = views.length > 0 && views.every(({ condition }) => condition !== 'failover');
  if (ended && outage.failover === 'begun' && views.length >= observed.knownSentinels)
    return { master, stage: 'given-up' };
  return { master, stage: 'under-way', leftMs };
}

function isOutage(held: HeldCheck | undefined): boolean {
  return held?.code === 'down' || held?.code === 'failing-over' || isAnswering(held);
}

/**
 * The stage that a check reports as final. A check that reports that the master answers names no stage, and a replica may have
 * returned since: it counts only while no Sentinel answers.
 */
function finalStage(held: HeldCheck | undefined, views: readonly SentinelView[]): OutageStage | undefined {
  if (held?.code === 'given-up' || held?.code === 'overdue') return held.code;
  return isAnswering(held) && views.length === 0 ? 'given-up' : undefined;
}

/** A bridge has judged that the failover cannot succeed, and that the master answers or may answer. */
function isAnswering(held: HeldCheck | undefined): boolean {
  return held?.code === 'answering' || held?.code === 'answering-doubted';
}

function canPromote(view: SentinelView): boolean {
  return view.promoting !== undefined || view.replicas.some((replica) => mayBeSelected(replica, view));
}

/** More than `isSelectable`: Sentinel sends PING and INFO every second while the master is down, so old answers get newer. */
function mayBeSelected(replica: ReplicaView, view: SentinelView): boolean {
  return isSelectable({ ...replica, pingAgeMs: 0, infoAgeMs: 0 }, view);
}

function viewsOf(master: Address, views: readonly SentinelView[]): readonly SentinelView[] {
  return views.filter((view) => sameAddress(view.master, master));
}
