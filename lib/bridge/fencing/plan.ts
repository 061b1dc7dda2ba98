import { type Address, isIn, sameAddress } from '../../model/address.ts';
import type { MasterRecord } from '../../model/record.ts';
import type { RoleAnswer, SentinelView } from '../../model/sentinel.ts';
import { hasMajority } from '../plan/vote.ts';

/** What the bridge may do to a former master that still accepts writes. */
export type FenceMode = 'demote' | 'pause' | 'none';

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
 * majority was read and agrees, and no Sentinel that was read runs a failover; or no Sentinel can be read.
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
  /** Every node of this master that any Sentinel has listed since this process started. */
  readonly members: readonly Address[];
}

/**
 * For the time from the selection of a replica to its promotion: Sentinel's timer ticks every 100 ms or sooner. It is
 * short because the failover may still fail, and because Sentinel's hello messages (PUBLISH) wait with the writes: after a
 * much longer pause Sentinel would see the master as `s_down`.
 */
export const pauseBeforePromotionMs = 500;

/** Long enough for Sentinel to confirm a failover. The bridge renews it while there is evidence. */
export const pauseMs = 5_000;

/**
 * Never acts on the record's master, nor before the record is confirmed. It demotes an address only with proof that no
 * failover is promoting it, and if every Sentinel lists it among this master's replicas, because the record alone could
 * name any Redis. Otherwise it pauses the former master alone, and only if that is one of this master's nodes: any other
 * replica that answers as master may have just been promoted.
 */
export function planFence({ mode, record, roles, evidence, views, members }: FenceSituation): readonly FenceAction[] {
  if (mode === 'none' || evidence === 'none' || record.phase !== 'confirmed') return [];
  const staleMasters = former(record).filter((address) => answersAsMaster(address, roles));
  if (mode === 'demote' && evidence === 'proven') {
    return staleMasters
      .filter((address) => views.length > 0 && views.every(({ replicas }) => lists(replicas, address)))
      .map((address) => ({ kind: 'demote', address, master: record.master }));
  }
  return staleMasters
    .filter((address) => record.previous !== null && sameAddress(address, record.previous) && isIn(members, address))
    .map((address) => ({ kind: 'pause', address, pauseMs }));
}

/**
 * The former master of an unconfirmed promotion, if it answers as master: it was out of reach when the master changed. The
 * fencer pauses it only once, because the promotion may still fail.
 */
export function planLatePause({
  record,
  roles,
  members,
}: Pick<FenceSituation, 'record' | 'roles' | 'members'>): Address | undefined {
  const { phase, previous, master } = record;
  if (phase !== 'promoted' || previous === null || sameAddress(previous, master)) return undefined;
  return answersAsMaster(previous, roles) && isIn(members, previous) ? previous : undefined;
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
export function weighEvidence(heard: {
  readonly record: MasterRecord;
  readonly views: readonly SentinelView[];
  readonly knownSentinels: number;
  readonly consul: 'reachable' | 'unreachable';
}): Evidence {
  const { record, views, knownSentinels, consul } = heard;
  if (views.length === 0) return 'likely';
  const agrees = (view: SentinelView) => view.configEpoch === record.epoch && sameAddress(view.master, record.master);
  const disturbed = views.some(
    (view) =>
      view.condition === 'failover' ||
      view.configEpoch > record.epoch ||
      (view.configEpoch === record.epoch && !agrees(view)),
  );
  if (disturbed) return 'none';
  const known = Math.max(knownSentinels, ...views.map((view) => view.knownSentinels));
  const sane = views.every((view) => agrees(view) && view.condition === 'up');
  if (consul === 'reachable' && views.length >= known && sane) return 'proven';
  return hasMajority({ master: record.master, configEpoch: record.epoch }, { views, knownSentinels })
    ? 'likely'
    : 'none';
}
