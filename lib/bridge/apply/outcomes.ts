import type { Outcome } from '../../loop/outcome.ts';
import { formatAddress } from '../../model/address.ts';
import type { Decided } from '../decider.ts';
import type { MasterFaults } from '../master-faults.ts';
import type { MasterMemory } from '../memory.ts';
import type { Wanted } from '../plan/catalog.ts';
import type { Decision } from '../plan/decision.ts';
import { replicaRetryMs } from '../plan/reach.ts';

/* The outcomes of decisions that write nothing, and the evidence that the journal keeps for every decision. */

export function hold(decision: Extract<Decision, { kind: 'wait' | 'conflict' }>, memory: MasterMemory): Outcome {
  const { kind, summary, retryAfterMs: askedMs } = decision;
  const why = kind === 'wait' ? decision.why : kind;
  const retryAfterMs = why === 'not-master-yet' && askedMs !== undefined ? memory.promotionRetryMs(askedMs) : askedMs;
  return { kind: 'held', summary, details: { why }, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** Adds who said what when the bridge decided. */
export function withEvidence(outcome: Outcome, { finding, situation, decision }: Decided): Outcome {
  if (outcome.kind === 'unchanged') return outcome;
  const { views, role } = finding;
  const votes = views.map(({ sentinel, master, configEpoch, condition }) => ({
    sentinel: formatAddress(sentinel),
    master: formatAddress(master),
    epoch: configEpoch,
    condition,
  }));
  const answer = role === undefined ? {} : { role: { address: formatAddress(role.address), role: role.role } };
  return { ...outcome, details: { ...outcome.details, votes, ...answer }, replay: { situation, decision } };
}

/** The loop runs again after `leftMs` at the latest, because the opinion of a master changes then. */
export function runAgainIn(leftMs: number | undefined, outcome: Outcome): Outcome {
  if (leftMs === undefined || outcome.kind === 'fenced' || outcome.kind === 'failed') return outcome;
  const waitMs = Math.ceil(leftMs) + 1;
  return { ...outcome, retryAfterMs: Math.min(waitMs, outcome.retryAfterMs ?? waitMs) };
}

/** Former masters answer as masters: the loop runs again before their pause ends, or because they could not be fenced yet. */
export function retryForStaleMasters(outcome: Outcome): Outcome {
  if (outcome.kind !== 'unchanged' && outcome.kind !== 'held') return outcome;
  return { ...outcome, retryAfterMs: Math.min(outcome.retryAfterMs ?? staleMasterRetryMs, staleMasterRetryMs) };
}

/** Well below the time for which a former master is paused. */
const staleMasterRetryMs = 2_000;

/** For a moment after a failover Sentinels do not know their replicas, and no event reports when they do. */
export function retryForReplicas(
  { record: { master }, replicas }: Wanted,
  { faults, nowMs }: { readonly faults: MasterFaults; readonly nowMs: number },
): Outcome | undefined {
  if (replicas.every(({ opinion }) => opinion !== undefined)) {
    faults.recovered('unseen-replica');
    return undefined;
  }
  const retryAfterMs = replicaRetryMs(faults.lastedMs('unseen-replica', { master, nowMs }));
  return { kind: 'held', summary: 'the Sentinels have not seen every replica yet', retryAfterMs };
}
