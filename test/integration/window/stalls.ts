/** A time in which a process did not run, in milliseconds since 1970. */
export interface Stall {
  readonly atMs: number;
  readonly untilMs: number;
}

const everyMs = 5;
/** A process that runs is never that late. */
const lateMs = 100;

/** Reports each time in which the machine did not let this process run. Returns the end of it. */
export function watchStalls(onStall: (stall: Stall) => void): () => void {
  let beforeMs = Date.now();
  const timer = setInterval(() => {
    const nowMs = Date.now();
    if (nowMs - beforeMs > lateMs) onStall({ atMs: beforeMs, untilMs: nowMs });
    beforeMs = nowMs;
  }, everyMs);
  return () => clearInterval(timer);
}

/** Stalls that ended longer before a write do not delay it. */
const recentMs = 2_000;

/** For how long a write that was sent at `askedMs` may have been delayed by them. */
export function delayedMs(stalls: readonly Stall[], askedMs: number): number {
  const recent = stalls.filter(({ atMs, untilMs }) => atMs < askedMs && untilMs > askedMs - recentMs);
  return recent.reduce((total, { atMs, untilMs }) => total + untilMs - atMs, 0);
}
