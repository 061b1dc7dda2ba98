import type { Concealment } from '../model/redaction.ts';
import { concealError } from '../template/redacted-error.ts';
import type { Outcome, RunReport } from './outcome.ts';

/** The outcome without secrets. What went well is told in words of this program's own, and passes as it is. */
export function concealOutcome(outcome: Outcome, concealment: Concealment): Outcome {
  switch (outcome.kind) {
    case 'applied':
    case 'unchanged':
      return outcome;
    case 'fenced':
    case 'held':
      return {
        ...outcome,
        summary: concealment.conceal(outcome.summary),
        ...(outcome.details === undefined ? {} : { details: concealment.concealAll(outcome.details) }),
      };
    case 'failed':
      return {
        ...outcome,
        error: concealError(outcome.error, concealment),
        ...(outcome.details === undefined ? {} : { details: concealment.concealAll(outcome.details) }),
      };
  }
}

/** A report whose outcome and hints have no secrets. */
export function concealReport(report: RunReport, concealment: Concealment): RunReport {
  const hints = report.hints.map((hint) => ({ ...hint, event: concealment.conceal(hint.event) }));
  return { ...report, hints, outcome: concealOutcome(report.outcome, concealment) };
}
