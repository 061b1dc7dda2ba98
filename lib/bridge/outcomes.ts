import type { Outcome } from '../loop/outcome.ts';
import { formatAddress, sameAddress } from '../model/address.ts';
import type { RoleAnswer } from '../model/sentinel.ts';
import type { MasterMemory } from './memory.ts';
import type { Decision, Situation } from './plan/decision.ts';
import type { Finding } from './writer.ts';

/* What a decision of the bridge is told as, where nothing is written by it, and what is kept of why it was taken. */

/** What was decided, what it was decided from, and what else was found out. */
export interface Decided {
  readonly finding: Finding;
  readonly situation: Situation;
  readonly decision: Decision;
}

export const givesWay: Outcome = { kind: 'held', summary: 'gives way to an announced failover', retryAfterMs: 0 };

/** What the master of the decision answered, or else whoever was asked last. */
export function answerAbout(decision: Decision, answers: readonly RoleAnswer[]): RoleAnswer | undefined {
  const { master } =
    decision.kind === 'publish' ? decision.draft : decision.kind === 'stands' ? decision.record : { master: undefined };
  const about = answers.find(({ address }) => master !== undefined && sameAddress(address, master));
  return about ?? answers[0];
}

export function hold(decision: Extract<Decision, { kind: 'wait' | 'conflict' }>, memory: MasterMemory): Outcome {
  const { kind, summary, retryAfterMs: askedMs } = decision;
  const why = kind === 'wait' ? decision.why : kind;
  const retryAfterMs = why === 'not-master-yet' && askedMs !== undefined ? memory.promotionRetryMs(askedMs) : askedMs;
  return { kind: 'held', summary, details: { why }, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** Who said what when this was decided: what the journal keeps of it. */
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

/** Whether another address becomes master by it. */
export function isTurn(decision: Decision): boolean {
  return decision.kind === 'publish' && (decision.cause === 'failover' || decision.cause === 'rebase');
}

/** What was done to a former master is bounded in time, or could not be done yet: looked at again before that ends. */
export function soon(outcome: Outcome): Outcome {
  if (outcome.kind !== 'unchanged' && outcome.kind !== 'held') return outcome;
  const summary = outcome.kind === 'held' ? outcome.summary : 'a former master still answers as a master';
  const waitMs = outcome.kind === 'held' ? (outcome.retryAfterMs ?? staleMasterRetryMs) : staleMasterRetryMs;
  return { ...outcome, kind: 'held', summary, retryAfterMs: Math.min(waitMs, staleMasterRetryMs) };
}

/** Well below the time for which a former master is paused. */
const staleMasterRetryMs = 2_000;
