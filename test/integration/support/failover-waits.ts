import { nowMs, type SentinelRecorder } from '../../sandbox/recorder.ts';

/** As in the sandbox's Sentinels, which also add up to a second at random. */
const failoverTimeoutMs = 10_000;
const randomMs = 1_000;

/**
 * A Sentinel connects to a new master up to 1 s after it announced it, because it had tried the old one right before
 * (sentinel.c, sentinelReconnectInstance). With down-after-milliseconds of 1,000 it may see the new master down then.
 */
const settledAfterMs = 2_500;

/**
 * Whether the Sentinels of one master would fail over at once. After an attempt that failed, or a vote for one, they wait for
 * twice failover-timeout, whatever happens to the master meanwhile (sentinel.c, sentinelStartFailoverIfNeeded).
 */
export function mayFailOver(recorders: readonly SentinelRecorder[]): boolean {
  return recorders.every(({ events }) => {
    const switched = events.findLast(({ channel }) => channel === '+switch-master')?.atMs ?? 0;
    const attempted = events.findLast(({ channel }) => channel === '+try-failover' || channel === '+vote-for-leader');
    const failedMs = attempted !== undefined && attempted.atMs > switched ? attempted.atMs : 0;
    return nowMs() > Math.max(switched + settledAfterMs, failedMs + 2 * failoverTimeoutMs + randomMs);
  });
}
