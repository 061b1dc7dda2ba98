import type { CrashEndKind } from '../model/crash-end.ts';
import type { CrashEnd } from './subject.ts';

/* What a bridge keeps of a crash from one judgement to the next. */

/** One crash, however often it is judged. */
export interface Crash<Closed> {
  readonly closed: Closed;
  /** The ends that were reported: each is one entry of the journal. */
  readonly reported: Set<CrashEndKind>;
  readonly attempt: number;
  readonly orderBefore: number | undefined;
}

export interface Opened<Closed> {
  readonly crash: Crash<Closed>;
  /** Another connection was closed since. */
  isClosedAgain: boolean;
  /** What happened since that needs another case: what it changes. */
  change: Partial<Closed> | undefined;
  /** Whether a process has accepted a connection since the last one was closed. */
  isConnected: boolean;
  /** Whether one has, and closed it. What was known when the case began is about an earlier process then. */
  isOutdated: boolean;
  /** It ended with an order that no other case has found. */
  hasNewOrder: boolean;
  lastEnd: CrashEnd<unknown> | undefined;
  /** Others waited for its place when it ended, so that it did not get its time. */
  isHurried: boolean;
  ended: Promise<void>;
}

/** The end of the last case of a master whose process was gone. */
export interface Judged<Closed> {
  crash: Crash<Closed>;
  /** Why no failover was ordered; undefined where this bridge ordered one, others act, or a process is there again. */
  readonly why: string | undefined;
  /** When it was judged first, ISO 8601. */
  readonly at: string;
  readonly endedMs: number;
  /** Until it is judged again by itself. */
  timer: NodeJS.Timeout | undefined;
  unfollow: () => void;
}

export function isSameCrash<Closed>(before: Judged<Closed>, crash: Crash<Closed>): boolean {
  return before.crash.reported === crash.reported;
}

/**
 * Each order is news. Each other judgement of a crash that ends in the same way is the same news. That a known crash ends or cannot be
 * judged now is none.
 */
export function isNews(kind: CrashEndKind, reported: ReadonlySet<CrashEndKind>): boolean {
  if (reported.size === 0 || kind === 'ordered') return true;
  return !reported.has(kind) && !['back', 'stopped', 'unclear'].includes(kind);
}

/**
 * Whether this bridge or another one has ordered a failover that was not under way before. Each judgement finds the order of another
 * bridge again. Without an answer, the server may have begun.
 */
export function isNewOrder(kind: CrashEndKind, reported: ReadonlySet<CrashEndKind>): boolean {
  return kind === 'ordered' || kind === 'unanswered' || (kind === 'ordered-elsewhere' && !reported.has(kind));
}

/**
 * A crash that another bridge sees goes first, because that one waits for this one where a majority must see it. Last go those that
 * were judged before without an order: something may contradict them again.
 */
export function rankOf(reported: ReadonlySet<CrashEndKind>, isSeenElsewhere: boolean): number {
  if (isSeenElsewhere) return 0;
  return reported.size === 0 ? 1 : 2;
}
