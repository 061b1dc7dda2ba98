import { type Address, isIn, sameAddress } from '../../model/address.ts';
import type { MasterRecord } from '../../model/record.ts';
import type { RoleAnswer, SentinelView } from '../../model/sentinel.ts';
import { hasMajority } from '../plan/vote.ts';

/** What may be done to a former master that still takes writes. */
export type FenceMode = 'demote' | 'pause' | 'none';

export type FenceAction =
  /** Writes wait, for a bounded time: heals by itself. */
  | { readonly kind: 'pause'; readonly address: Address; readonly pauseMs: number }
  /** REPLICAOF the master: what it took since is discarded, as Sentinel would some seconds later. */
  | { readonly kind: 'demote'; readonly address: Address; readonly master: Address };

/**
 * How sure it is that an address that answered ROLE as a master is not being made master at this moment.
 *
 * `proven`: after it answered, every Sentinel there is was heard, all at the record's epoch and master, which is up for
 * all of them (sentinel.c, sentinelMasterLooksSane, asks the same before `+convert-to-slave`), and none failing over. A failover that had promoted the address by then would still be running at its leader, or have left its leader
 * at a newer epoch. `likely`: a majority was heard to agree, and none to fail over; or nobody can be heard at all.
 */
export type Evidence = 'proven' | 'likely' | 'none';

export interface FenceSituation {
  readonly mode: FenceMode;
  /** The newest record. */
  readonly record: MasterRecord;
  /** Every address of the record that was asked, and its answer. */
  readonly roles: readonly RoleAnswer[];
  readonly evidence: Evidence;
  /** What the Sentinels said that the evidence is made of. */
  readonly views: readonly SentinelView[];
  /** Every node of this master that any Sentinel has named to this bridge. */
  readonly members: readonly Address[];
}

/**
 * From the selection of a replica to its promotion: Sentinel's timer ticks every 100 ms or sooner. Short, for nothing has
 * changed yet, and because Sentinel's own greetings (PUBLISH) wait with the writes: much longer would look like `s_down`.
 */
export const pauseBeforePromotionMs = 500;

/** Long enough for Sentinel to confirm a failover; renewed while there is evidence. */
export const pauseMs = 5_000;

/**
 * The record's master is never touched, and nothing before the record is confirmed. Data is discarded only where it is
 * proven that no failover is promoting the address, and where every Sentinel counts it among this master's replicas: the
 * record alone could name anybody's Redis. Without that only the former master is paused, if it is one of this master's
 * nodes: any other replica that answers as a master may have just been promoted.
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
 * The former master of a promotion that is not confirmed yet, where it answers as a master: it was out of reach when the
 * master changed. Its writes wait once and no longer, for the promotion may come to nothing.
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

/** Who was master before, or could come back as one. */
export function former(record: MasterRecord): readonly Address[] {
  const previous = record.previous === null ? [] : [record.previous];
  const others = previous.filter((address) => !record.replicas.some((replica) => sameAddress(replica, address)));
  return [...record.replicas, ...others].filter((address) => !sameAddress(address, record.master));
}

/** What the Sentinels' views say, all of them read after the ROLE answers. `consul`: whether the record was just confirmed. */
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
