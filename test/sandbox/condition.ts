import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';

export type WaitOptions<T> = {
  /**
   * Default 60,000: Sentinel fails over again some 21 s after a lost election, a busy machine takes its time, and no time is
   * lost where the condition holds at once.
   */
  timeoutMs?: number;
  /**
   * Between one reading and the next. Default: from 10 at first to 100, because each reading may cost a server some work.
   */
  intervalMs?: number;
  /** When the value is what the caller waits for. Default: it is truthy. */
  until?: (value: T) => boolean;
  /** Ends the wait early, with the signal's reason as cause. */
  signal?: AbortSignal | undefined;
};

const firstIntervalMs = 10;
const lastIntervalMs = 100;
const intervalGrowth = 1.2;

/**
 * Reads repeatedly until the value is as described, and returns it. A reading that throws counts as "not yet". On timeout
 * the error names what was waited for and the last value.
 */
export async function waitFor<T>(
  description: string,
  read: () => T | Promise<T>,
  options: WaitOptions<T> = {},
): Promise<T> {
  const { timeoutMs = 60_000, until = Boolean, signal } = options;
  let intervalMs = options.intervalMs ?? firstIntervalMs;
  const deadline = performance.now() + timeoutMs;
  let last: { value: T } | { error: unknown } | undefined;
  const aborted = Promise.withResolvers<undefined>();
  signal?.addEventListener('abort', () => aborted.resolve(undefined), { once: true });
  for (;;) {
    if (signal?.aborted) throw new Error(`gave up waiting for ${description}`, { cause: signal.reason });
    // A reading that hangs (a paused server) must not hang the wait, nor keep it from giving up.
    const reading = await within(Promise.race([settled(read), aborted.promise]), deadline - performance.now());
    if (signal?.aborted) continue;
    if (reading !== undefined) last = reading;
    if (reading !== undefined && 'value' in reading && until(reading.value)) return reading.value;
    if (performance.now() >= deadline) {
      throw new Error(`waited ${timeoutMs} ms for ${description}; last saw: ${describe(last)}`, {
        cause: last !== undefined && 'error' in last ? last.error : undefined,
      });
    }
    await delay(intervalMs);
    if (options.intervalMs === undefined) intervalMs = Math.min(intervalMs * intervalGrowth, lastIntervalMs);
  }
}

/** The promise's value, or undefined if it takes longer. Leaves no timer behind. */
export async function within<T>(promise: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  const done = new AbortController();
  const expiry = delay(Math.max(timeoutMs, 0), undefined, { signal: done.signal }).catch(() => undefined);
  try {
    return await Promise.race([promise, expiry]);
  } finally {
    done.abort();
  }
}

async function settled<T>(read: () => T | Promise<T>): Promise<{ value: T } | { error: unknown }> {
  try {
    return { value: await read() };
  } catch (error) {
    return { error };
  }
}

function describe(last: { value: unknown } | { error: unknown } | undefined): string {
  if (last === undefined) return 'nothing (no reading came back)';
  if ('value' in last) return inspect(last.value, { depth: 6, breakLength: 120 });
  return last.error instanceof Error ? `${last.error.name}: ${last.error.message}` : inspect(last.error);
}
