import { formatAddress, sameAddress } from '../model/address.ts';
import type { MasterRecord } from '../model/record.ts';
import type { SentinelView } from '../model/sentinel.ts';
import { answerOf, type Decision, draftOf, type Lagging, type Situation } from './decision.ts';
import { hasMajority } from './vote.ts';

/* Sentinels whose epoch is below the record's: when they are waited for, and when a new generation begins. */

/** The Sentinels are behind the record: lagging ones are waited for, rebuilt ones begin a new generation. */
export function fallBehind(
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
export function rebaseByHand(
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

/** Sentinel's own default of failover-timeout. */
const defaultFailoverTimeoutMs = 180_000;
