import { SwitchmasterError } from '../errors.ts';
import type { Redactor } from '../model/redaction.ts';

/** The error without secrets, with its causes; parsers, which quote some letters of what they read, are left out. */
export function redactError(error: SwitchmasterError, redactor: Redactor): SwitchmasterError {
  if (redactor.isEmpty) return error;
  const { code, message, details, cause } = error;
  const shown = new SwitchmasterError(code, redactor.redact(message), {
    cause: redactCause(cause, redactor),
    details: redactor.redactAll(details),
  });
  shown.stack = redactor.redact(error.stack ?? '');
  return shown;
}

function redactCause(cause: unknown, redactor: Redactor): unknown {
  if (cause instanceof SwitchmasterError) return redactError(cause, redactor);
  if (!(cause instanceof Error) || cause instanceof SyntaxError || cause.name.startsWith('YAML')) return undefined;
  const shown: Error & { code?: unknown } = new Error(redactor.redact(cause.message));
  const { code } = cause as { code?: unknown };
  if (code !== undefined) shown.code = code;
  shown.stack = redactor.redact(cause.stack ?? '');
  const inner = redactCause(cause.cause, redactor);
  if (inner !== undefined) shown.cause = inner;
  return shown;
}
