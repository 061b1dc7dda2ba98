import { type Backoff, type BackoffLimits, makeBackoff } from '../backoff.ts';
import type { Hint, TimerHint } from './hint.ts';
import type { ActiveRun } from './run.ts';

/** A key of a loop. */
export interface Entry<H extends Hint> {
  state: 'waiting' | 'running' | 'dirty' | 'retired';
  hints: (H | TimerHint)[];
  run: ActiveRun<H> | undefined;
  timer: NodeJS.Timeout | undefined;
  /** When the timer fires: milliseconds of `performance.now()`. */
  dueMs: number;
  postponements: number;
  failures: number;
  /** Whether the last run had no hint, found nothing to do and left the key calm. */
  isCalm: boolean;
  readonly backoff: Backoff;
}

export function newEntry<H extends Hint>(backoff: BackoffLimits): Entry<H> {
  return {
    state: 'waiting',
    hints: [],
    run: undefined,
    timer: undefined,
    dueMs: Number.POSITIVE_INFINITY,
    postponements: 0,
    failures: 0,
    isCalm: false,
    backoff: makeBackoff(backoff),
  };
}
