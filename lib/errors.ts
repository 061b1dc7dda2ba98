/**
 * The one error class. Every failure that leaves a module carries one of these codes; callers branch on the code and
 * never on the text of a message (docs/reference/errors.md lists them all; a test compares).
 */
export const errorCodes = {
  'config-invalid': 'The configuration breaks its schema or contradicts itself.',
  'config-unreadable': 'A configuration or secret file cannot be read.',
  'consul-unreachable': 'No answer from the Consul agent (refused, reset, timed out).',
  'consul-denied': 'Consul refuses the token: an ACL rule is missing.',
  'consul-unavailable': 'Consul answers, but cannot serve: no leader, rate limit, server error.',
  'consul-refused': 'Consul refuses the request itself.',
  'consul-answer-invalid': 'Consul answered with something that is not of the documented shape.',
  'redis-unreachable': 'No connection to a Redis or Sentinel process.',
  'redis-timeout': 'A Redis or Sentinel process did not answer in time.',
  'redis-denied': 'Redis or Sentinel refuses the credentials or the command.',
  'redis-refused': 'Redis or Sentinel answered a command with an error.',
  'redis-answer-invalid': 'Redis or Sentinel answered with something that is not of the documented shape.',
  'sentinel-master-unknown': 'A Sentinel does not monitor a master of that name.',
  'template-invalid': 'A template does not compile or names an unknown helper.',
  'template-failed': 'A template cannot be rendered with what is there now.',
  'value-refused': 'A value from the catalog cannot be written safely into this format.',
  'file-unwritable': 'A destination cannot be written.',
  'check-failed': 'The check command refuses a rendered candidate.',
  'reload-failed': 'The reload command failed.',
  'verify-failed': 'The consumer does not work with the new file.',
  'command-failed': 'A command could not be started, was killed or exited with an error.',
  'command-timeout': 'A command did not end within its timeout.',
  'not-found': 'There is no such thing.',
  'role-not-held': 'The record does not name this address in the role that was asked for.',
  'replica-lags': 'A replica is further behind than was asked for, or how far is not known.',
  'not-ready': 'Something has not been observed in full yet.',
  'request-invalid': 'An HTTP request is not what its route takes.',
  'request-too-large': 'An HTTP request is larger than is accepted.',
  'request-denied': 'An HTTP request lacks the token, or brings a wrong one.',
  'request-throttled': 'Too many HTTP requests: try again later.',
  'api-unreachable': 'No answer from the HTTP API of a running switchmaster.',
  'failover-refused': 'A planned failover may not begin; nothing was changed.',
  'rebase-refused': 'A new generation may not begin: the Sentinels do not agree, or the target is no master.',
  'approve-refused': 'The text that is held is not the one that was to be approved.',
  'failover-stalled': 'A planned failover came to nothing in time; the writes were let go.',
  stopping: 'The daemon is stopping.',
  internal: 'A defect in switchmaster itself.',
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** Codes after which trying the very same again cannot succeed. */
const terminal: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['config-invalid', 'template-invalid', 'stopping']);

export class SwitchmasterError extends Error {
  readonly code: ErrorCode;
  /** Facts beside the message, for logs and for machines. Never secrets. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; details?: Record<string, unknown> } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SwitchmasterError';
    this.code = code;
    this.details = options.details ?? {};
  }

  /** False where the same attempt can never succeed without somebody changing something. */
  get retryable(): boolean {
    return !terminal.has(this.code);
  }

  /** Wraps whatever was thrown; an error of ours passes unchanged. */
  static from(thrown: unknown, code: ErrorCode = 'internal'): SwitchmasterError {
    if (thrown instanceof SwitchmasterError) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new SwitchmasterError(code, message, { cause: thrown });
  }
}

/** True for the rejection that an AbortSignal causes, in the forms that Node and its libraries give it. */
export function isAbort(thrown: unknown): boolean {
  return (
    thrown instanceof Error && (thrown.name === 'AbortError' || (thrown as { code?: unknown }).code === 'ABORT_ERR')
  );
}
