import { type Address, formatAddress, sameAddress } from '../model/address.ts';
import { compareVersions, type Version } from '../model/epoch.ts';
import { type HeldRecord, type MasterRecord, sameAddresses } from '../model/record.ts';
import type { RoleAnswer, SentinelView } from '../model/sentinel.ts';
import { agreedReplicas } from './opinion.ts';
import { newestPromotion, replicasAfter } from './promotion.ts';
import { bestOf, hasMajority, knownSentinels, majorityHeard, rivalsOf } from './vote.ts';

/*
 * Who is master of one name: the decision, without any I/O. docs/architecture.md, "Fencing", has it in prose.
 *
 * The order of records is (generation, epoch). Sentinel elects at most one leader for an epoch and only that leader
 * changes the master at that epoch, so one Sentinel's word at a higher config-epoch than the record's is enough
 * (Redis docs, "Sentinel: configuration epochs"); everything else takes a majority of the Sentinels.
 */

/** What a bridge knows when it decides. Times are milliseconds of one clock. */
export interface Situation {
  /** What Consul holds. */
  readonly held: HeldRecord;
  /** The newest record that this bridge has ever seen Consul hold: it outlives a deletion, an edit and a Consul that lost its data. */
  readonly remembered: MasterRecord | undefined;
  /** Fresh views only, one a Sentinel. */
  readonly views: readonly SentinelView[];
  /** How many Sentinels of this master the bridge knows of, whether they answer or not. */
  readonly knownSentinels: number;
  /** False where only the Sentinel that raised the alarm was asked: enough for a newer epoch, not for anything else. */
  readonly complete: boolean;
  readonly role: RoleAnswer | undefined;
  /** Answers of others that were asked besides. */
  readonly otherRoles?: readonly RoleAnswer[];
  /** Whether a promotion is followed before the Sentinels announce it. Default `announcement`. */
  readonly follow?: FollowMode;
  /** Somebody asked for a new generation by hand. */
  readonly rebaseAsked?: 'asked' | 'not-asked';
  readonly lagging: Lagging | undefined;
  readonly nowMs: number;
  readonly rebaseAfterMs: number;
}

/** Which moment of a failover counts: the replica's answer as a master, or `+switch-master`. */
export type FollowMode = 'promotion' | 'announcement';

/** Since when a majority of the Sentinels has agreed on an older epoch than the record's. */
export interface Lagging {
  readonly master: Address;
  readonly epoch: number;
  readonly sinceMs: number;
}

export type Decision =
  /** The record is what the Sentinels say. */
  | { readonly kind: 'stands'; readonly record: MasterRecord }
  /** Ask this address for its ROLE and decide again. */
  | { readonly kind: 'ask-role'; readonly address: Address; readonly lagging?: Lagging }
  /** A new record, to be written by compare-and-set on `held`. */
  | { readonly kind: 'publish'; readonly draft: Draft; readonly cause: Cause }
  /** Ask every Sentinel and decide again. */
  | { readonly kind: 'look-closer' }
  /** Nothing may be written yet. */
  | {
      readonly kind: 'wait';
      readonly why: Wait;
      readonly summary: string;
      readonly lagging?: Lagging;
      readonly retryAfterMs?: number;
    }
  /** Two masters at one epoch: alarm, write nothing. */
  | { readonly kind: 'conflict'; readonly summary: string };

export type Cause = 'initial' | 'failover' | 'rebase' | 'confirmed' | 'replicas' | 'restored';
export type Wait = 'no-sentinel' | 'no-majority' | 'not-master-yet' | 'older' | 'rebase' | 'unconfirmed';

/** A record but for who writes it and when. */
export interface Draft
  extends Pick<MasterRecord, 'generation' | 'epoch' | 'phase' | 'master' | 'replicas' | 'previous' | 'reason'> {
  /** Where the master stays who it was: who made it master, and when. */
  readonly kept?: Pick<MasterRecord, 'changedAt' | 'changedBy'>;
}

/** Sentinel's own default of failover-timeout. */
const defaultFailoverTimeoutMs = 180_000;

/** How soon to ask again an address that is about to become a master. */
const promotionRetryMs = 25;

export function decide(observed: Situation): Decision {
  const situation = { ...observed, views: observed.views.filter(settled) };
  const best = bestOf(situation.views);
  const known = newestKnown(situation);
  const promoted = known === undefined ? undefined : followPromotion(observed, { known, best });
  if (promoted !== undefined) return promoted;
  if (best === undefined) return waitForSentinels(observed);
  const rivals = rivalsOf(best, situation.views);
  if (rivals.length > 0 && !hasMajority(best, situation)) return refuseRivals(situation, { best, rivals, known });
  if (known === undefined) return decideFirst(situation, best);
  if (situation.rebaseAsked === 'asked') return rebaseByHand(situation, { best, known });
  const version = { generation: known.generation, epoch: best.configEpoch };
  const order = compareVersions(version, known);
  if (order > 0) return advance(situation, { version, best, from: known });
  if (order < 0) return fallBehind(situation, { best, known });
  return agree(situation, { best, known });
}

/** The record as it is written. A draft of the same master keeps who made it master, and when. */
export function completeRecord(
  draft: Draft,
  signature: { readonly name: string; readonly changedAt: string; readonly changedBy: string },
): MasterRecord {
  const { kept, ...rest } = draft;
  return { version: 1, ...signature, ...kept, ...rest };
}

/** The newest record there is or was: nothing older than it is ever published again. */
function newestKnown({ held, remembered }: Situation): MasterRecord | undefined {
  if (held.kind !== 'present') return remembered;
  return remembered !== undefined && compareVersions(remembered, held.record) > 0 ? remembered : held.record;
}

/**
 * The Sentinel that leads a failover takes the new config-epoch when the replica was promoted, and the new address only
 * at `+switch-master`, up to a second later (sentinel.c, sentinelRefreshInstanceInfo and
 * sentinelFailoverSwitchToPromotedSlave): between the two, its epoch and its address do not belong together. It can no
 * longer abort then, so waiting costs nothing but that second.
 */
function settled(view: SentinelView): boolean {
  return view.condition !== 'failover';
}

/**
 * A failover whose leader has selected a replica, and that replica answers as a master: the record follows at the
 * leader's epoch, before any Sentinel announces it. undefined where there is none, or not yet.
 */
function followPromotion(
  situation: Situation,
  step: { readonly known: MasterRecord; readonly best: SentinelView | undefined },
): Decision | undefined {
  const { known, best } = step;
  if (situation.follow !== 'promotion') return undefined;
  const promotion = newestPromotion(situation.views, known);
  if (promotion === undefined || (best !== undefined && best.configEpoch >= promotion.epoch)) return undefined;
  const { selected, epoch } = promotion;
  if (sameAddress(selected, known.master)) return undefined;
  const role = answerOf(situation, selected);
  if (role === undefined) return { kind: 'ask-role', address: selected };
  if (role !== 'master') return undefined;
  const draft: Draft = {
    generation: known.generation,
    epoch,
    phase: 'promoted',
    master: selected,
    replicas: replicasAfter(promotion),
    previous: known.master,
    reason: 'failover',
  };
  return { kind: 'publish', cause: 'failover', draft };
}

function waitForSentinels({ views, complete }: Situation): Decision {
  if (!complete) return { kind: 'look-closer' };
  const summary = views.length === 0 ? 'no Sentinel can be asked' : 'the Sentinels are failing over';
  return { kind: 'wait', why: 'no-sentinel', summary };
}

/** No majority names either: Sentinels that were told different masters by hand, for elections cannot end so. */
function refuseRivals(
  situation: Situation,
  step: {
    readonly best: SentinelView;
    readonly rivals: readonly SentinelView[];
    readonly known: MasterRecord | undefined;
  },
): Decision {
  const { best, rivals, known } = step;
  if (!situation.complete) return { kind: 'look-closer' };
  const named = [best, ...rivals].map((view) => formatAddress(view.master));
  const summary = `Sentinels name different masters for epoch ${best.configEpoch}: ${[...new Set(named)].toSorted().join(', ')}`;
  if (known !== undefined && best.configEpoch < known.epoch) return { kind: 'wait', why: 'older', summary };
  return { kind: 'conflict', summary };
}

/** There never was a record: an older decision must not be taken for the last one, so a majority has to be heard. */
function decideFirst(situation: Situation, best: SentinelView): Decision {
  const { views } = situation;
  if (!situation.complete) return { kind: 'look-closer' };
  if (!majorityHeard(situation)) {
    const summary = `there is no record yet, and only ${views.length} of ${knownSentinels(situation)} Sentinels can be asked: a majority is needed`;
    return { kind: 'wait', why: 'no-majority', summary };
  }
  return advance(situation, { version: { generation: 1, epoch: best.configEpoch }, best, from: undefined });
}

/**
 * A newer epoch than the record's. An election replaces the master, so an epoch that has risen without that takes a
 * majority: a leader whose failover was cut off by SENTINEL RESET after the promotion keeps the old address at the new epoch.
 */
function advance(
  situation: Situation,
  step: { readonly version: Version; readonly best: SentinelView; readonly from: MasterRecord | undefined },
): Decision {
  const { version, best, from } = step;
  if (from !== undefined && sameAddress(from.master, best.master) && !hasMajority(best, situation)) {
    if (!situation.complete) return { kind: 'look-closer' };
    const summary = `one Sentinel alone names ${formatAddress(best.master)} at epoch ${version.epoch}, which was master before`;
    return { kind: 'wait', why: 'no-majority', summary };
  }
  const role = answerOf(situation, best.master);
  if (role === undefined) return { kind: 'ask-role', address: best.master };
  if (role === 'replica' || role === 'other') {
    return {
      kind: 'wait',
      why: 'not-master-yet',
      summary: `Sentinels decided on ${formatAddress(best.master)} at epoch ${version.epoch}, which answers ROLE as ${role}`,
      retryAfterMs: promotionRetryMs,
    };
  }
  return {
    kind: 'publish',
    cause: from === undefined ? 'initial' : 'failover',
    draft: draftOf(situation, { version, best, from, reason: from === undefined ? 'first seen' : 'failover' }),
  };
}

/** The Sentinels are behind the record: lagging ones are waited for, rebuilt ones begin a new generation. */
function fallBehind(
  situation: Situation,
  step: { readonly best: SentinelView; readonly known: MasterRecord },
): Decision {
  const { best, known } = step;
  const { lagging, nowMs, rebaseAfterMs } = situation;
  if (!situation.complete) return { kind: 'look-closer' };
  const said = `${formatAddress(best.master)} at epoch ${best.configEpoch}, older than epoch ${known.epoch} of the record`;
  if (!hasMajority(best, situation)) return { kind: 'wait', why: 'older', summary: `refused: ${said}` };
  const goesOn =
    lagging !== undefined && lagging.epoch === best.configEpoch && sameAddress(lagging.master, best.master);
  const since: Lagging = goesOn ? lagging : { master: best.master, epoch: best.configEpoch, sinceMs: nowMs };
  const unconfirmed = known.phase === 'promoted';
  const leftMs = since.sinceMs + (unconfirmed ? confirmationMs(situation, known) : rebaseAfterMs) - nowMs;
  const wait = { kind: 'wait', why: unconfirmed ? 'unconfirmed' : 'rebase', lagging: since } as const;
  if (unconfirmed && leftMs > 0) {
    const summary = `${formatAddress(known.master)} was promoted at epoch ${known.epoch}; a majority of the Sentinels has not adopted it yet`;
    return { ...wait, summary, retryAfterMs: Math.min(leftMs, 1_000) };
  }
  const agreed = `a majority of the Sentinels agrees on ${said}`;
  if (leftMs > 0) return { ...wait, summary: `${agreed}: a new generation begins if it lasts`, retryAfterMs: leftMs };
  const role = answerOf(situation, best.master);
  if (role === undefined) return { kind: 'ask-role', address: best.master, lagging: since };
  if (role !== 'master') {
    return { ...wait, summary: `${agreed}, but it answers ROLE as ${role}: no new generation`, retryAfterMs: 1_000 };
  }
  const why = unconfirmed ? 'the promotion came to nothing' : 'the Sentinels began their epochs again';
  return rebase(situation, { best, known, why });
}

/**
 * How long a promotion may wait for its confirmation: as long as Sentinel goes on trying, unless the promoted replica is
 * a replica again; then the Sentinels have taken it back.
 */
function confirmationMs(situation: Situation, known: MasterRecord): number {
  const answer = answerOf(situation, known.master);
  if (answer === 'replica') return 0;
  return Math.max(...situation.views.map((view) => view.failoverTimeoutMs ?? defaultFailoverTimeoutMs));
}

/** What an operator asks for needs a majority and a target that is a master, but no patience. */
function rebaseByHand(
  situation: Situation,
  step: { readonly best: SentinelView; readonly known: MasterRecord },
): Decision {
  const { best } = step;
  if (!situation.complete) return { kind: 'look-closer' };
  const target = `${formatAddress(best.master)} at epoch ${best.configEpoch}`;
  if (!hasMajority(best, situation)) {
    return {
      kind: 'wait',
      why: 'no-majority',
      summary: `no new generation: no majority of the Sentinels agrees on ${target}`,
    };
  }
  const role = answerOf(situation, best.master);
  if (role === undefined) return { kind: 'ask-role', address: best.master };
  if (role !== 'master') {
    return { kind: 'wait', why: 'not-master-yet', summary: `no new generation: ${target} answers ROLE as ${role}` };
  }
  return rebase(situation, { ...step, why: 'by hand' });
}

/** A new generation, in which the Sentinels' epochs count from where they are. */
function rebase(
  situation: Situation,
  step: { readonly best: SentinelView; readonly known: MasterRecord; readonly why: string },
): Decision {
  const { best, known } = step;
  const version = { generation: known.generation + 1, epoch: best.configEpoch };
  const draft = draftOf(situation, { best, from: known, version, reason: `rebase: ${step.why}` });
  return { kind: 'publish', cause: 'rebase', draft };
}

/** The same epoch: the record stands, is put back where somebody removed or edited it, or contradicts the Sentinels. */
function agree(situation: Situation, step: { readonly best: SentinelView; readonly known: MasterRecord }): Decision {
  const { best, known } = step;
  const { held, remembered } = situation;
  const current = held.kind === 'present' && compareVersions(held.record, known) === 0 ? held.record : undefined;
  if (current !== undefined && sameAddress(best.master, current.master))
    return settle(situation, { best, record: current });
  if (!situation.complete) return { kind: 'look-closer' };
  const ours = remembered !== undefined && compareVersions(remembered, known) === 0 ? remembered : undefined;
  if (ours !== undefined && sameAddress(best.master, ours.master) && hasMajority(best, situation)) {
    const reason = `restored: the record was ${held.kind === 'absent' ? 'deleted' : 'edited by hand'}`;
    return { kind: 'publish', cause: 'restored', draft: { ...keep(ours), reason } };
  }
  if (sameAddress(best.master, known.master)) {
    return {
      kind: 'wait',
      why: 'no-majority',
      summary: 'the record is gone, and no majority of the Sentinels can be asked',
    };
  }
  const summary = `epoch ${known.epoch} is ${formatAddress(known.master)} by the record and ${formatAddress(best.master)} by the Sentinels`;
  return { kind: 'conflict', summary };
}

/** The record and the Sentinels agree: what is left are its phase and its replicas. */
function settle(situation: Situation, step: { readonly best: SentinelView; readonly record: MasterRecord }): Decision {
  const { best, record } = step;
  if (record.phase === 'promoted' && hasMajority(best, situation)) {
    return { kind: 'publish', cause: 'confirmed', draft: { ...keep(record), phase: 'confirmed' } };
  }
  if (!situation.complete) return { kind: 'look-closer' };
  const replicas = agreedReplicas(situation.views, record.master);
  // Bridges that can ask different Sentinels would correct each other without end.
  if (!hasMajority(best, situation) || sameAddresses(replicas, record.replicas)) return { kind: 'stands', record };
  return { kind: 'publish', cause: 'replicas', draft: { ...keep(record), replicas } };
}

function keep(record: MasterRecord): Draft {
  const { generation, epoch, phase, master, replicas, previous, reason, changedAt, changedBy } = record;
  return { generation, epoch, phase, master, replicas, previous, reason, kept: { changedAt, changedBy } };
}

function draftOf(
  situation: Situation,
  step: {
    readonly version: Version;
    readonly best: SentinelView;
    readonly from: MasterRecord | undefined;
    readonly reason: string;
  },
): Draft {
  const { best, from, version, reason } = step;
  const moved = from !== undefined && !sameAddress(from.master, best.master);
  return {
    ...version,
    phase: hasMajority(best, situation) ? 'confirmed' : 'promoted',
    master: best.master,
    replicas: agreedReplicas(
      situation.views.filter((view) => view.configEpoch === best.configEpoch),
      best.master,
    ),
    previous: moved ? from.master : (from?.previous ?? null),
    reason,
  };
}

function answerOf(situation: Situation, address: Address): RoleAnswer['role'] | undefined {
  const answers = [situation.role, ...(situation.otherRoles ?? [])];
  return answers.find((answer) => answer !== undefined && sameAddress(answer.address, address))?.role;
}
