import { ExponentialBackoff, type IBackoff } from 'cockatiel';

/** How long to wait after each failure in a row: from `initialMs`, growing, with jitter, to at most `maxMs`. */
export interface BackoffLimits {
  readonly initialMs: number;
  readonly maxMs: number;
}

export interface Backoff {
  /** The delay before the next attempt; each call counts as one more failure. */
  nextMs(): number;
  /** After a success. */
  reset(): void;
}

/** Exponential with decorrelated jitter (cockatiel), so that many daemons do not retry in step. */
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
