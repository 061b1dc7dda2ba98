import { type BridgeHint, consulChanged, replicationChanged } from './hint.ts';
import type { FollowMode } from './plan/decision.ts';

/**
 * For changes that come one after the other: a Sentinel's messages during a failover, a connection that the promotion
 * closed, the watches after a write. A full run for each of them would be under way when the announcement comes. Sentinel's
 * timer ticks every 50 to 100 ms, so a run that starts between two ticks has ended before the next one.
 */
const delayMs = 25;

/**
 * For the last messages before what is followed: Sentinel sends the order of the promotion with `+failover-state-wait-promotion`,
 * and its timer ticks once or twice between the promotion and the announcement. A run meanwhile would compete with the
 * failover, and write checks that it replaces.
 */
const beforeChangeMs = 250;
const lastMessages: Readonly<Record<FollowMode, RegExp>> = {
  promotion: /^\+failover-state-wait-promotion$/,
  announcement: /^(\+promoted-slave|\+failover-state-reconf-slaves|\+failover-end|\+slave-reconf-\w+|[+-]role-change)$/,
};

/**
 * For the first messages: the promotion follows three or four ticks later. A run would write that a failover is under way, and the new
 * master's record replaces that. Where many masters fail over at once, a tick takes longer, and these runs are what the records wait for.
 */
const promotionComesMs = 1_000;
const firstMessages = /^(\+new-epoch|\+try-failover|\+elected-leader|\+selected-slave|\+failover-state-s\S+)$/;

/**
 * For the announcement of a master that the record names already: the other Sentinels learn it at the next tick of the leader, and only a
 * majority confirms it. The messages before it confirm nothing.
 */
const othersAnnounceMs = 100;
const announced = '+switch-master';

/** Each transaction of this bridge changes up to four of its watches. What another one changed waits longer before it is repaired. */
const consulDelayMs = 250;
/** If that is the record of a promotion, its announcement follows within a second, and what another bridge does until then is the same. */
const confirmationComesMs = 1_000;

/** Replicas change their links during each failover, also a planned one. Otherwise Sentinel says nothing of it for seconds. */
const linkDelayMs = 1_500;

/** How long a hint waits for others before it starts a run. */
export function hintDelayMs(hint: BridgeHint, follow: FollowMode): number {
  if (hint.kind !== undefined) return 0;
  const { event, isRecorded } = hint;
  if (event === replicationChanged) return linkDelayMs;
  if (event === consulChanged.event) return isRecorded === true ? confirmationComesMs : consulDelayMs;
  if (isRecorded === true) return event === announced ? othersAnnounceMs : beforeChangeMs;
  if (lastMessages[follow].test(event)) return beforeChangeMs;
  return firstMessages.test(event) ? promotionComesMs : delayMs;
}
