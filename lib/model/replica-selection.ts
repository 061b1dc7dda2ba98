import { type ReplicaView, type SentinelView, sentinelDefaults } from './sentinel.ts';

/** How old the last answer to PING and the last INFO of a replica may be, in milliseconds (sentinel.c, sentinel_ping_period * 5). */
const mostAgeMs = 5_000;
/** How old an INFO may be while the master is not subjectively down (sentinel.c, sentinel_info_period * 3). */
const mostInfoAgeMs = 30_000;

/**
 * Whether the Sentinel of `view` would select this replica if it had to promote one now (sentinel.c, sentinelSelectSlave;
 * sentinelSelectReplica in Valkey). It ignores the role that the replica reports. What the Sentinel has not reported yet
 * counts as good: it reads INFO every second while the master is down.
 */
export function isSelectable(
  replica: ReplicaView,
  view: Pick<SentinelView, 'downAfterMs' | 'suspectedForMs'>,
): boolean {
  const { condition, priority, pingAgeMs = 0, infoAgeMs = 0, masterLinkDownMs = 0 } = replica;
  const { downAfterMs = sentinelDefaults.downAfterMs, suspectedForMs } = view;
  if (condition === 's_down' || condition === 'unlinked' || priority === 0) return false;
  if (pingAgeMs > mostAgeMs || infoAgeMs > (suspectedForMs === undefined ? mostInfoAgeMs : mostAgeMs)) return false;
  return masterLinkDownMs <= (suspectedForMs ?? 0) + 10 * downAfterMs;
}
