import { type Address, formatAddress, isIn, sameAddress } from '../../model/address.ts';
import { majorityOf } from '../../model/epoch.ts';
import type { MasterRecord } from '../../model/record.ts';
import type { RoleAnswer, SentinelView } from '../../model/sentinel.ts';
import { failoverTimeoutMs } from '../plan/crash.ts';
import { knownSentinels as countSentinels } from '../plan/vote.ts';

/** What the bridge may do to a former master that still accepts writes. */
type FenceMode = 'demote' | 'pause' | 'none';

export type FenceAction =
  /** CLIENT PAUSE: writes wait. The pause ends by itself. */
  | { readonly kind: 'pause'; readonly address: Address; readonly pauseMs: number }
  /** REPLICAOF the master: this discards the writes it accepted since, as Sentinel would do some seconds later. */
  | { readonly kind: 'demote'; readonly address: Address; readonly master: Address };

/**
 * How certain it is that no failover is promoting an address that answered ROLE as master.
 *
 * `proven`: after that answer, every known Sentinel was read. All name the record's master at the record's epoch, see it
 * up (sentinel.c, sentinelMasterLooksSane, requires the same before `+convert-to-slave`), and run no failover. If a
 * failover had promoted the address by then, its leader would still run it, or would be at a newer epoch. `likely`: a
 * majority was read and names the record's master, at its epoch or an older one, and no Sentinel that was read runs a
 * failover or contradicts. A rebuilt Sentinel starts at epoch 0. `none`: anything else, also if no Sentinel can be read.
 */
export type Evidence = 'proven' | 'likely' | 'none';

export interface FenceSituation {
  readonly mode: FenceMode;
  /** The newest record. */
  readonly record: MasterRecord;
  /** The ROLE answer of every address of the record that was asked. */
  readonly roles: readonly RoleAnswer[];
  readonly evidence: Evidence;
  /** The Sentinels' views that the evidence comes from. */
  readonly views: readonly SentinelView[];
  /** For how long the bridge has paused a stale master already, by `host:port`. */
  readonly pausedForMs: ReadonlyMap<string, number>;
}

/**
 * For the time from the selection of a replica to its promotion: Sentinel's timer ticks every 100 ms or sooner. It is
 * short because the failover may still fail, and because Sentinel's hello messages (PUBLISH) wait with the writes: after a
 * much longer pause Sentinel would see the master as `s_down`.
 */
export const pauseBeforePromotionMs = 500;

/** Long enough for Sentinel to confirm a failover. The bridge renews it while there is evidence, for a limited time. */
export const pauseMs = 5_000;

/**
 * For how long the bridge renews the pause of a former master. Sentinel itself converts a replica that reports the role
 * master for 8 seconds, but not while it is paused: Sentinel's PING waits behind its PUBLISH, so Sentinel sees it down.
 */
export const longestPauseMs = 15_000;

/**
 * Never acts on the record's master, nor before the record is confirmed, nor on an address that no Sentinel lists among
 * this master's replicas: it may have another use by now. It demotes an address with proof that no failover is promoting
 * it, and if every Sentinel lists it. Otherwise it pauses the former master, because a rebuilt Sentinel may not list it
 * yet. After the longest pause it demotes the former master, if a Sentinel lists it and those that were read are settled, as
 * Sentinel would do without the pause. It leaves other replicas that answer as master alone: they may have just been
 * promoted. A Sentinel that hides its replicas allows a pause, and proves nothing for a demotion.
 */
export function planFence(situation: FenceSituation): readonly FenceAction[] {
  const { mode, record, roles, evidence } = situation;
  if (mode === 'none' || evidence === 'none' || record.phase !== 'confirmed') return [];
  return former(record)
    .filter((address) => answersAsMaster(address, roles))
    .flatMap((address) => planFor(address, situation) ?? []);
}

function planFor(address: Address, situation: FenceSituation): FenceAction | undefined {
  const { mode, record, evidence, views, pausedForMs } = situation;
  const listing = views.filter(({ replicas }) => lists(replicas, address));
  if (listing.length === 0) return undefined;
  const showing = listing.filter(({ hides }) => hides === undefined).length;
  const demotion: FenceAction = { kind: 'demote', address, master: record.master };
  if (mode === 'demote' && evidence === 'proven' && showing === views.length) return demotion;
  if (record.previous === null || !sameAddress(address, record.previous)) return undefined;
  if ((pausedForMs.get(formatAddress(address)) ?? 0) < longestPauseMs) return { kind: 'pause', address, pauseMs };
  const settled = views.every(({ condition, master }) => condition === 'up' && sameAddress(master, record.master));
  return mode === 'demote' && settled && showing > 0 ? demotion : undefined;
}

/**
 * What is left to do to a former master that refused to be demoted: its writes wait, for the longest pause. Then Sentinel,
 * whose user may have other rights, converts it.
 */
export function planAfterRefusal(
  address: Address,
  { pausedForMs }: Pick<FenceSituation, 'pausedForMs'>,
): FenceAction[] {
  const spentMs = pausedForMs.get(formatAddress(address)) ?? 0;
  return spentMs < longestPauseMs ? [{ kind: 'pause', address, pauseMs }] : [];
}

/**
 * The former master of an unconfirmed promotion, if it answers as master. The fencer pauses it now if it was out of reach when
 * the master changed. After that, planRenewal decides.
 */
export function planLatePause({
  record,
  roles,
  members,
}: Pick<FenceSituation, 'record' | 'roles'> & {
  /** Every node of this master that any Sentinel has listed since this process started. */
  readonly members: readonly Address[];
}): Address | undefined {
  const { phase, previous, master } = record;
  if (phase !== 'promoted' || previous === null || sameAddress(previous, master)) return undefined;
  return answersAsMaster(previous, roles) && isIn(members, previous) ? previous : undefined;
}

/** What the pause of a former master waits for: the end of a failover that a Sentinel still runs, or its demotion. */
export type PauseReason = 'failover' | 'stale-master';

export interface RenewalSituation extends Pick<FenceSituation, 'record' | 'roles' | 'views' | 'pausedForMs'> {
  /** For how long the bridge has renewed a pause while a Sentinel ran the failover, by `host:port`. */
  readonly failoverPausedForMs: ReadonlyMap<string, number>;
}

/**
 * Whether the pause of the former master must not end yet: it still answers as master, and the promotion stands. That is so while
 * the new master answers as one, and a Sentinel promotes it or has adopted it, and no Sentinel contradicts. On a busy machine, or
 * where Sentinel waits for a replica that does not follow, the demotion comes later than the pause ends. While a Sentinel runs the
 * failover, the pause is renewed for failover-timeout at most, otherwise for the longest pause: no Sentinel converts a paused
 * server. If the promotion fails, the pause ends by itself.
 */
export function planRenewal(
  situation: RenewalSituation,
): { readonly address: Address; readonly reason: PauseReason } | undefined {
  const { record, roles, views } = situation;
  const { previous, master, epoch } = record;
  if (previous === null || sameAddress(previous, master)) return undefined;
  if (!answersAsMaster(previous, roles) || !answersAsMaster(master, roles)) return undefined;
  const names = (view: SentinelView) => sameAddress(view.promoting ?? view.master, master);
  const stands = views.some((view) => names(view) && (view.promoting !== undefined || view.configEpoch >= epoch));
  const isContradicted = views.some(
    (view) => !names(view) && (view.promoting !== undefined || view.configEpoch > epoch),
  );
  if (!stands || isContradicted) return undefined;
  const isRunning = views.some(({ promoting }) => promoting !== undefined);
  const limitMs = isRunning ? failoverTimeoutMs({ views }) : longestPauseMs;
  const spentMs = (isRunning ? situation.failoverPausedForMs : situation.pausedForMs).get(formatAddress(previous)) ?? 0;
  return spentMs < limitMs ? { address: previous, reason: isRunning ? 'failover' : 'stale-master' } : undefined;
}

function answersAsMaster(address: Address, roles: readonly RoleAnswer[]): boolean {
  return roles.some(({ address: asked, role }) => role === 'master' && sameAddress(asked, address));
}

function lists(replicas: SentinelView['replicas'], address: Address): boolean {
  return replicas.some((replica) => sameAddress(replica.address, address));
}

/** The nodes that were master before, or could return as one. */
export function former(record: MasterRecord): readonly Address[] {
  const previous = record.previous === null ? [] : [record.previous];
  const others = previous.filter((address) => !record.replicas.some((replica) => sameAddress(replica, address)));
  return [...record.replicas, ...others].filter((address) => !sameAddress(address, record.master));
}

/** The evidence in `views`, all of them read after the ROLE answers. `consul`: whether the record is known to be current. */
export function assessEvidence(input: {
  readonly record: MasterRecord;
  readonly views: readonly SentinelView[];
  readonly knownSentinels: number;
  readonly consul: 'reachable' | 'unreachable';
}): Evidence {
  const { record, views, knownSentinels, consul } = input;
  const agrees = (view: SentinelView) => view.configEpoch === record.epoch && sameAddress(view.master, record.master);
  const disturbed = views.some(
    (view) =>
      view.condition === 'failover' ||
      view.configEpoch > record.epoch ||
      (view.configEpoch === record.epoch && !agrees(view)),
  );
  if (disturbed) return 'none';
  const known = countSentinels({ views, knownSentinels });
  const sane = views.every((view) => agrees(view) && view.condition === 'up');
  if (consul === 'reachable' && views.length >= known && views.length > 0 && sane) return 'proven';
  const naming = views.filter(({ master }) => sameAddress(master, record.master)).length;
  return naming >= majorityOf(known) ? 'likely' : 'none';
}
