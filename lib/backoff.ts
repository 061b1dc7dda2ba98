import { ExponentialBackoff, type IBackoff } from 'cockatiel';

/** The wait after each failure in a row: it grows with jitter from `initialMs` to at most `maxMs`. */
export interface BackoffLimits {
  readonly initialMs: number;
  readonly maxMs: number;
}

export interface Backoff {
  /** The delay before the next attempt. Each call counts as one more failure. */
  nextMs(): number;
  /** Call it after a success. */
  reset(): void;
}

/** An exponential backoff with decorrelated jitter (cockatiel), so that many daemons do not retry at the same time. */
export function makeBackoff(limits: BackoffLimits): Backoff {
  const factory = new ExponentialBackoff({ initialDelay: limits.initialMs, maxDelay: limits.maxMs });
  let current: IBackoff<unknown> | undefined;
  return {
    nextMs() {
      current = current === undefined ? factory.next() : current.next(undefined);
      return Math.min(current.duration, limits.maxMs);
    },
    reset() {
      current = undefined;
    },
  };
}
