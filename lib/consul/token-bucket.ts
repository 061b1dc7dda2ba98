import { performance } from 'node:perf_hooks';

/** Permits `burst` requests at once, then one every `refillMs`. */
export interface TokenBucket {
  /** Takes a token and returns how long to wait before the request: 0 while the burst lasts. */
  takeMs(): number;
}

export function makeTokenBucket({ burst, refillMs }: { burst: number; refillMs: number }): TokenBucket {
  // The time at which the bucket is full again. Each token taken adds one refill.
  let fullAtMs = performance.now();
  return {
    takeMs() {
      const nowMs = performance.now();
      fullAtMs = Math.max(fullAtMs, nowMs) + refillMs;
      return Math.max(0, fullAtMs - nowMs - burst * refillMs);
    },
  };
}
