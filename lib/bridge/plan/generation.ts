import { formatAddress, isIn, sameAddress } from '../../model/address.ts';
import type { MasterRecord } from '../../model/record.ts';
import { type SentinelView, sentinelDefaults } from '../../model/sentinel.ts';
import { answerOf, type Decision, draftOf, keep, type Lagging, type Situation } from './decision.ts';
import { hasMajority } from './vote.ts';

/* Sentinels that contradict the record: how long the bridge waits for them, and when a new generation begins. */

/** The Sentinels are behind the record. The bridge waits for lagging Sentinels; rebuilt ones begin a new generation. */
export function fallBehind(
  situation: Situation,
  step: { readonly best: SentinelView; readonly known: MasterRecord },
): Decision {
  const { best, known } = step;
  const { nowMs } = situation;
  if (!situation.complete) return { kind: 'ask-all' };
  const said = `${formatAddress(best.master)} at epoch ${best.configEpoch}, older than epoch ${known.epoch} of the record`;
  if (!hasMajority(best, situation)) return { kind: 'wait', why: 'older', summary: `refused: ${said}` };
  // An edit can name any phase.
  const unconfirmed = known.phase === 'promoted' && situation.edit === undefined;
  // The wait begins when no Sentinel leads the promotion any more: until then its leader may still complete it.
  const since = agreedSince(
    unconfirmed && isLed(situation, known) ? { ...situation, lagging: undefined } : situation,
    best,
  );
  const waitMs = unconfirmed ? confirmationMs(situation, known) : rebaseWaitMs(situation);
  const leftMs = since.sinceMs + waitMs - nowMs;
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
  const why = unconfirmed ? 'the promotion failed' : reasonOf(situation);
  return rebase(situation, { best, known, why });
}

/**
 * The Sentinels name another master at the record's own epoch: a conflict. An epoch has one master, so where a majority
 * keeps naming another, the record's epoch is not theirs: rebuilt Sentinels have reached the same number, or somebody
 * wrote the record by hand. A new generation resolves it, as it resolves lower epochs.
 */
export function contradict(
  situation: Situation,
  step: { readonly best: SentinelView; readonly known: MasterRecord },
): Decision {
  const { best, known } = step;
  const summary = `epoch ${known.epoch} is ${formatAddress(known.master)} by the record and ${formatAddress(best.master)} by the Sentinels`;
  if (!hasMajority(best, situation)) return { kind: 'conflict', summary };
  const since = agreedSince(situation, best);
  const leftMs = since.sinceMs + rebaseWaitMs(situation) - situation.nowMs;
  const conflict = { kind: 'conflict', summary, lagging: since } as const;
  if (leftMs > 0) return { ...conflict, retryAfterMs: leftMs };
  const role = answerOf(situation, best.master);
  if (role === undefined) return { kind: 'ask-role', address: best.master, lagging: since };
  if (role !== 'master') return { ...conflict, retryAfterMs: 1_000 };
  return rebase(situation, { best, known, why: 'the Sentinels agree on another master at the same epoch' });
}

/**
 * How long a majority must contradict the record. Where an edit is likely, that is no more than the time in which this
 * bridge has read all of what another one wrote.
 */
function rebaseWaitMs({ edit, rebaseAfterMs }: Situation): number {
  return edit === undefined ? rebaseAfterMs : Math.min(rebaseAfterMs, editedForMs);
}

function reasonOf({ edit }: Situation): string {
  return edit === undefined ? 'the Sentinels began their epochs again' : 'the record was edited by hand';
}

/** Since when a majority has named this master at this epoch. */
export function agreedSince({ lagging, nowMs }: Situation, { master, configEpoch }: SentinelView): Lagging {
  const continues = lagging !== undefined && lagging.epoch === configEpoch && sameAddress(lagging.master, master);
  return continues ? lagging : { master, epoch: configEpoch, sinceMs: nowMs };
}

/**
 * The bridge followed a promotion, and traffic on this node goes there, but Consul was out of reach and has not taken the
 * record. The bridge writes it as long as the replica is a master; otherwise it ends like any promotion that failed.
 */
export function deliver(
  situation: Situation,
  step: { readonly best: SentinelView; readonly decided: MasterRecord },
): Decision {
  const { best, decided } = step;
  if (!situation.complete) return { kind: 'ask-all' };
  const role = answerOf(situation, decided.master);
  if (role === undefined) return { kind: 'ask-role', address: decided.master };
  const decision = fallBehind(situation, { best, known: decided });
  if (decision.kind !== 'wait' || role !== 'master') return decision;
  return { kind: 'publish', cause: 'failover', draft: keep(decided) };
}

/**
 * How long a promotion may wait for its confirmation: while a Sentinel leads it, without limit; after that for Sentinel's
 * `failover-timeout`. A promoted replica that is a replica again gets no time: the Sentinels have reverted it.
 */
function confirmationMs(situation: Situation, known: MasterRecord): number {
  const answer = answerOf(situation, known.master);
  if (answer === 'replica') return 0;
  if (isLed(situation, known)) return Number.POSITIVE_INFINITY;
  return Math.max(...situation.views.map((view) => view.failoverTimeoutMs ?? sentinelDefaults.failoverTimeoutMs));
}

/** Whether a Sentinel leads this promotion. */
function isLed({ promoting = [] }: Situation, { master }: MasterRecord): boolean {
  return isIn(promoting, master);
}

/** A new generation that an operator asks for needs a majority and a target that is a master, but no wait. */
export function rebaseByHand(
  situation: Situation,
  step: { readonly best: SentinelView; readonly known: MasterRecord },
): Decision {
  const { best } = step;
  if (!situation.complete) return { kind: 'ask-all' };
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

/** Begins a new generation, which takes the Sentinels' epoch as it is. */
function rebase(
  situation: Situation,
  step: { readonly best: SentinelView; readonly known: MasterRecord; readonly why: string },
): Decision {
  const { best, known } = step;
  const version = { generation: known.generation + 1, epoch: best.configEpoch };
  const draft = draftOf(situation, { best, from: known, version, reason: `rebase: ${step.why}` });
  return { kind: 'publish', cause: 'rebase', draft };
}

/** The parts of one transaction reach a bridge by several watches, one after the other. */
const editedForMs = 1_000;
