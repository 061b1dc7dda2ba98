import { SwitchmasterError } from '../errors.ts';
import type { Concealment } from '../model/redaction.ts';

/** The error without secrets, with its causes; parsers, which quote some letters of what they read, are left out. */
export function concealError(error: SwitchmasterError, concealment: Concealment): SwitchmasterError {
  if (concealment.knowsNothing) return error;
  const { code, message, details, cause } = error;
  const shown = new SwitchmasterError(code, concealment.conceal(message), {
    cause: concealCause(cause, concealment),
    details: concealment.concealAll(details),
  });
  shown.stack = concealment.conceal(error.stack ?? '');
  return shown;
}

function concealCause(cause: unknown, concealment: Concealment): unknown {
  if (cause instanceof SwitchmasterError) return concealError(cause, concealment);
  if (!(cause instanceof Error) || cause instanceof SyntaxError || cause.name.startsWith('YAML')) return undefined;
  const shown: Error & { code?: unknown } = new Error(concealment.conceal(cause.message));
  const { code } = cause as { code?: unknown };
  if (code !== undefined) shown.code = code;
  shown.stack = concealment.conceal(cause.stack ?? '');
  const inner = concealCause(cause.cause, concealment);
  if (inner !== undefined) shown.cause = inner;
  return shown;
}
