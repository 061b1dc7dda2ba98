import type { Redactor } from '../model/redaction.ts';
import { redactError } from '../template/redacted-error.ts';
import type { Outcome, RunReport } from './outcome.ts';

/** The outcome without secrets. `applied` and `unchanged` hold no text from outside and pass as they are. */
export function redactOutcome(outcome: Outcome, redactor: Redactor): Outcome {
  switch (outcome.kind) {
    case 'applied':
    case 'unchanged':
      return outcome;
    case 'fenced':
    case 'held':
      return {
        ...outcome,
        summary: redactor.redact(outcome.summary),
        ...(outcome.details === undefined ? {} : { details: redactor.redactAll(outcome.details) }),
      };
    case 'failed':
      return {
        ...outcome,
        error: redactError(outcome.error, redactor),
        ...(outcome.details === undefined ? {} : { details: redactor.redactAll(outcome.details) }),
      };
  }
}

/** A report whose outcome and hints have no secrets. */
export function redactReport(report: RunReport, redactor: Redactor): RunReport {
  const hints = report.hints.map((hint) => ({ ...hint, event: redactor.redact(hint.event) }));
  return { ...report, hints, outcome: redactOutcome(report.outcome, redactor) };
}
