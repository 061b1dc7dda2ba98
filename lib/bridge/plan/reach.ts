import { isDoubted, isReachedByBridge, type Opinion } from '../../model/check-opinion.ts';
import { type SentinelView, sentinelDefaults } from '../../model/sentinel.ts';

/** Sentinel connects to a new master, and bridges learn of a failover, within some tenths of a second; busy machines take seconds. */
const marginMs = 5_000;

/**
 * How long nobody may reach a master before its check is critical for that. A master that was reached before has as long as
 * the Sentinels take to judge it: it is subjectively down then. Once a bridge has judged it, it stays unreachable.
 */
export function reachLimitMs(held: Opinion | undefined, views: readonly SentinelView[]): number {
  if (held?.code === 'unreachable') return 0;
  if (held === undefined || held.code === 'unreached' || held.code === 'unknown') return marginMs;
  const downAfterMs = views.map((view) => view.downAfterMs ?? sentinelDefaults.downAfterMs);
  return Math.max(0, ...downAfterMs) + marginMs;
}

/**
 * How much longer a bridge that does not reach a master goes by the check. After one that says that a bridge reaches it, it asks
 * the others. If none of them corrects that in time, none reaches it.
 */
export function reportLeftMs(
  held: Opinion | undefined,
  {
    views,
    unreachedMs,
    heldMs,
  }: { readonly views: readonly SentinelView[]; readonly unreachedMs: number; readonly heldMs: number },
): number {
  if (isDoubted(held)) return marginMs - heldMs;
  if (!isReachedByBridge(held)) return 0;
  const limitMs = views.length > 0 ? reachLimitMs(held, views) : sentinelDefaults.downAfterMs + marginMs;
  return limitMs - Math.min(unreachedMs, heldMs);
}

/**
 * How long a master may answer as a replica before its check is critical for that: a failover has made it one, and the bridge
 * is about to learn which. Once a bridge has judged it, it stays so.
 */
export function replicaLimitMs(held: Opinion | undefined): number {
  return held?.code === 'as-replica' ? 0 : marginMs;
}

const [soonestRetryMs, latestRetryMs] = [1_000, 8_000];

/**
 * When to ask again whether the Sentinels have seen a replica that none had seen for `unseenMs`: soon after a failover, and less often
 * later. A former master that is gone stays unseen until it is down, and each of many failovers leaves one.
 */
export function replicaRetryMs(unseenMs: number): number {
  return Math.min(latestRetryMs, Math.max(soonestRetryMs, unseenMs));
}
