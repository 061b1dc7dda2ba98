import { type Address, formatAddress, sameAddress } from '../../model/address.ts';
import { agreedReplicas } from '../../model/check-opinion.ts';
import { compareVersions, type Version } from '../../model/epoch.ts';
import { type MasterRecord, sameAddresses } from '../../model/record.ts';
import type { SentinelView } from '../../model/sentinel.ts';
import {
  answerOf,
  type Decision,
  type Draft,
  draftOf,
  keep,
  newestKnown,
  type Published,
  type Situation,
} from './decision.ts';
import { decideOnEdited, isNamedBySentinel } from './edited.ts';
import { agreedSince, contradict, deliver, fallBehind, rebaseByHand } from './generation.ts';
import { isMember, isUnlisted } from './membership.ts';
import { newestPromotion, type Promotion, replicasAfter } from './promotion.ts';
import { bestOf, conflictingViews, hasMajority, knownSentinels, majorityAnswers } from './vote.ts';

/*
 * The decision who is master, without any I/O. docs/architecture.md, "Fencing", describes it in prose.
 *
 * The order of records is (generation, epoch). Sentinel elects at most one leader for an epoch, and only that leader
 * changes the master at that epoch. So one Sentinel is enough for a higher config-epoch than the record's (Redis docs,
 * "Sentinel: configuration epochs"). Everything else needs a majority of the Sentinels.
 */

/** How soon to ask again an address that is about to become a master. */
const promotionRetryMs = 25;

export function decide(given: Situation): Decision {
  const onEdited = decideOnEdited(given, decide);
  if (onEdited !== undefined) return onEdited;
  const everything = isNamedBySentinel(given) ? { ...given, edit: undefined } : given;
  const known = newestKnown(everything);
  const observed = { ...everything, views: everything.views.filter((view) => !isUnlisted(view, everything)) };
  const promoting = observed.views.flatMap((view) => (settled(view) ? [] : (view.promoting ?? [])));
  const situation = { ...observed, promoting, views: observed.views.filter(settled) };
  const best = bestOf(situation.views);
  const promoted = known === undefined ? undefined : followPromotion(observed, { known, best });
  if (promoted !== undefined) return promoted;
  if (best === undefined) return waitForSentinels(observed, known);
  const conflicting = conflictingViews(best, situation.views);
  if (conflicting.length > 0 && !hasMajority(best, situation))
    return refuseConflict(situation, { best, conflicting, known });
  if (known === undefined) return decideFirst(situation, best);
  if (situation.rebaseAsked === 'asked') return rebaseByHand(situation, { best, known });
  const { decided } = situation;
  if (decided !== undefined && compareVersions(decided, known) > 0 && best.configEpoch < decided.epoch) {
    return deliver(situation, { best, decided });
  }
  const version = { generation: known.generation, epoch: best.configEpoch };
  const order = compareVersions(version, known);
  if (order > 0) return advance(situation, { version, best, from: known });
  if (order < 0) return fallBehind(situation, { best, known });
  return agree(situation, { best, known });
}

/**
 * The Sentinel that leads a failover takes the new config-epoch when the replica was promoted, and the new address only
 * at `+switch-master`, up to a second later (sentinel.c, sentinelRefreshInstanceInfo and
 * sentinelFailoverSwitchToPromotedSlave). Between the two, its epoch and its address do not belong together. It can no
 * longer abort then, so waiting costs only that second.
 */
function settled(view: SentinelView): boolean {
  return view.condition !== 'failover';
}

/**
 * Follows a failover at the leader's epoch, by what the leader answered before it announced the new master, when the selected
 * replica answers as a master. undefined where there is no such failover, or the replica is not a master yet.
 */
function followPromotion(
  situation: Situation,
  step: { readonly known: MasterRecord; readonly best: SentinelView | undefined },
): Decision | undefined {
  const { known, best } = step;
  const promotion = newestPromotion(situation.views, known);
  if (promotion === undefined || !isFollowed(promotion, situation)) return undefined;
  if (best !== undefined && best.configEpoch >= promotion.epoch) return undefined;
  const { selected, epoch } = promotion;
  if (epoch <= (situation.abandonedEpoch ?? -1)) return undefined;
  if (isBehindDecision(situation, { generation: known.generation, epoch, master: selected })) return undefined;
  if (sameAddress(selected, known.master) || !isMember(selected, promotion.view, situation)) return undefined;
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

/** Whether the bridge has decided on a newer failover, or on another master at this version, that Consul has not taken. */
function isBehindDecision({ decided }: Situation, version: Version & { readonly master: Address }): boolean {
  const order = decided === undefined ? -1 : compareVersions(decided, version);
  return order > 0 || (order === 0 && decided !== undefined && !sameAddress(decided.master, version.master));
}

/** Where announcements are followed: the leader's config-epoch is the failover's, and the replica was announced since. */
function isFollowed({ selected, epoch, view }: Promotion, { follow, announced }: Situation): boolean {
  if (follow === 'promotion') return true;
  return announced !== undefined && sameAddress(announced, selected) && view.configEpoch === epoch;
}

/** No Sentinel has a view that counts. A record of an unmonitored master stays; its checks show what is wrong. */
function waitForSentinels(
  { views, complete, unmonitored, held }: Situation,
  known: MasterRecord | undefined,
): Decision {
  if (!complete) return { kind: 'ask-all' };
  const stands = held.kind === 'present' && known !== undefined && compareVersions(held.record, known) === 0;
  if (unmonitored !== undefined && stands) return { kind: 'stands', record: held.record };
  const summary = unmonitored ?? (views.length === 0 ? 'no Sentinel can be asked' : 'the Sentinels are failing over');
  return { kind: 'wait', why: 'no-sentinel', summary };
}

/** No majority names either master. No election ends like that: somebody set different masters by hand. */
function refuseConflict(
  situation: Situation,
  step: {
    readonly best: SentinelView;
    readonly conflicting: readonly SentinelView[];
    readonly known: MasterRecord | undefined;
  },
): Decision {
  const { best, conflicting, known } = step;
  if (!situation.complete) return { kind: 'ask-all' };
  const named = [best, ...conflicting].map((view) => formatAddress(view.master));
  const summary = `Sentinels name different masters for epoch ${best.configEpoch}: ${[...new Set(named)].toSorted().join(', ')}`;
  if (known !== undefined && best.configEpoch < known.epoch) return { kind: 'wait', why: 'older', summary };
  return { kind: 'conflict', summary };
}

/**
 * There never was a record. An older decision must not count as the last one, so a majority of the Sentinels must answer.
 * No traffic follows a record yet, so the bridge waits while few Sentinels name a newer epoch. If the majority keeps
 * another epoch for `rebaseAfter`, the bridge takes the majority's.
 */
function decideFirst(situation: Situation, best: SentinelView): Decision {
  const { views } = situation;
  if (!situation.complete) return { kind: 'ask-all' };
  if (!majorityAnswers(situation)) {
    const summary = `there is no record yet, and only ${views.length} of ${knownSentinels(situation)} Sentinels can be asked: a majority is needed`;
    return { kind: 'wait', why: 'no-majority', summary };
  }
  const first = (chosen: SentinelView) =>
    advance(situation, { version: firstVersion(situation.published, chosen), best: chosen, from: undefined });
  if (hasMajority(best, situation)) return first(best);
  const agreed = views.find((view) => hasMajority(view, situation));
  const summary = `there is no record yet, and no majority of the Sentinels agrees on ${formatAddress(best.master)} at epoch ${best.configEpoch}`;
  if (agreed === undefined) return { kind: 'wait', why: 'no-majority', summary };
  const since = agreedSince(situation, agreed);
  const leftMs = since.sinceMs + situation.rebaseAfterMs - situation.nowMs;
  if (leftMs > 0) return { kind: 'wait', why: 'no-majority', summary, lagging: since, retryAfterMs: leftMs };
  const decision = first(agreed);
  return decision.kind === 'ask-role' ? { ...decision, lagging: since } : decision;
}

/**
 * The version of a record if there is none. A record that somebody deleted while no bridge ran has left its service: the
 * new one is not older, and one version never has two masters.
 */
function firstVersion(published: Published | undefined, { master, configEpoch: epoch }: SentinelView): Version {
  if (published === undefined) return { generation: 1, epoch };
  const order = compareVersions({ generation: published.generation, epoch }, published);
  const continues = order > 0 || (order === 0 && sameAddress(master, published.master));
  return { generation: continues ? published.generation : published.generation + 1, epoch };
}

/**
 * A newer epoch than the record's. An election replaces the master, so a higher epoch with the same master needs a
 * majority: a leader whose failover ended by SENTINEL RESET after the promotion keeps the old address at the new epoch.
 * An epoch whose promotion failed needs a majority too: otherwise a single Sentinel could move the master back and forth.
 */
function advance(
  situation: Situation,
  step: { readonly version: Version; readonly best: SentinelView; readonly from: MasterRecord | undefined },
): Decision {
  const { version, best, from } = step;
  const isBack = from !== undefined && sameAddress(from.master, best.master);
  const isAbandoned = version.epoch <= (situation.abandonedEpoch ?? -1);
  if ((isBack || isAbandoned) && !hasMajority(best, situation)) {
    if (!situation.complete) return { kind: 'ask-all' };
    const why = isBack ? 'which was master before' : 'whose promotion failed before';
    const summary = `one Sentinel alone names ${formatAddress(best.master)} at epoch ${version.epoch}, ${why}`;
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

/** The same epoch: the record agrees, must be restored after a deletion or edit, or contradicts the Sentinels. */
function agree(situation: Situation, step: { readonly best: SentinelView; readonly known: MasterRecord }): Decision {
  const { best, known } = step;
  const { held, remembered } = situation;
  const current = held.kind === 'present' && compareVersions(held.record, known) === 0 ? held.record : undefined;
  if (current !== undefined && sameAddress(best.master, current.master))
    return settle(situation, { best, record: current });
  if (!situation.complete) return { kind: 'ask-all' };
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
  return contradict(situation, { best, known });
}

/** The record and the Sentinels agree on the master: its phase and its replicas may still differ. */
function settle(situation: Situation, step: { readonly best: SentinelView; readonly record: MasterRecord }): Decision {
  const { best, record } = step;
  if (record.phase === 'promoted' && hasMajority(best, situation)) {
    return { kind: 'publish', cause: 'confirmed', draft: { ...keep(record), phase: 'confirmed' } };
  }
  if (!situation.complete) return { kind: 'ask-all' };
  const replicas = agreedReplicas(situation.views, record.master);
  // Bridges that can ask different Sentinels would correct each other without end.
  if (!hasMajority(best, situation) || sameAddresses(replicas, record.replicas)) return { kind: 'stands', record };
  return { kind: 'publish', cause: 'replicas', draft: { ...keep(record), replicas } };
}
