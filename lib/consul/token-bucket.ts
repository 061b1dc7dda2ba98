import { performance } from 'node:perf_hooks';

/** Lets `burst` requests through at once, then one every `refillMs`. */
export interface TokenBucket {
  /** Takes a token and says how long to wait before using it: 0 while the burst lasts. */
  takeMs(): number;
}

export function makeTokenBucket(input: {
  readonly burst: number;
  readonly refillMs: number;
  readonly nowMs?: () => number;
}): TokenBucket {
  const nowMs = input.nowMs ?? (() => performance.now());
  // The time at which the bucket would be full again; each token taken moves it on by one refill.
  let fullAtMs = nowMs();
  return {
    takeMs() {
      const now = nowMs();
      fullAtMs = Math.max(fullAtMs, now) + input.refillMs;
      return Math.max(0, fullAtMs - now - input.burst * input.refillMs);
    },
  };
}
