/** One row of the error table. */
interface ErrorRow {
  /** What the code means, in one sentence. */
  readonly message: string;
  /** The status of an HTTP answer with this code. */
  readonly httpStatus: number;
  /** The exit code of a command that fails with this code: 1 failed, 2 wrong usage or config. */
  readonly exitCode: 1 | 2;
  /** False if the same attempt fails again until somebody changes something. The loop retries the others. */
  readonly retryable: boolean;
}

/** A failure of a server, a file or a command: a later attempt may succeed. */
const temporary = { httpStatus: 503, exitCode: 1, retryable: true } as const;

/** A refused request, order or login: nothing was done. */
const refused = { httpStatus: 400, exitCode: 1, retryable: false } as const;

/**
 * Every failure that leaves a module carries one of these codes. Callers branch on the code, never on the text of a
 * message. docs/reference/errors.md has an entry for each code; a test compares the two.
 */
const rows = {
  'config-invalid': {
    ...temporary,
    message: 'The configuration breaks its schema or contradicts itself.',
    exitCode: 2,
    retryable: false,
  },
  'config-unreadable': {
    ...temporary,
    message: 'A configuration or secret file cannot be read.',
    exitCode: 2,
  },
  'consul-unreachable': {
    ...temporary,
    message: 'The Consul agent does not answer: connection refused, reset or timed out.',
  },
  'consul-denied': {
    ...temporary,
    message: 'Consul refuses the token, or hides something from it: an ACL rule is missing.',
  },
  'consul-unavailable': {
    ...temporary,
    message: 'Consul answers but cannot serve: no leader, a rate limit or a server error.',
  },
  'consul-refused': { ...temporary, message: 'Consul refuses the request itself.' },
  'consul-answer-invalid': { ...temporary, message: 'An answer of Consul does not have the documented shape.' },
  'redis-unreachable': { ...temporary, message: 'There is no connection to a Redis or Sentinel process.' },
  'redis-timeout': { ...temporary, message: 'A Redis or Sentinel process did not answer in time.' },
  'redis-denied': { ...temporary, message: 'Redis or Sentinel refuses the credentials or the command.' },
  'redis-refused': { ...temporary, message: 'Redis or Sentinel answered a command with an error.' },
  'redis-answer-invalid': {
    ...temporary,
    message: 'An answer of Redis or Sentinel does not have the documented shape.',
  },
  'sentinel-master-unknown': { ...temporary, message: 'A Sentinel does not monitor a master of that name.' },
  'template-invalid': {
    ...temporary,
    message: 'A template does not compile, names an unknown helper or partial, or calls a helper wrongly.',
    exitCode: 2,
    retryable: false,
  },
  'import-invalid': {
    ...temporary,
    message: 'A file cannot be imported: it is not of the kind that the command names.',
    exitCode: 2,
    retryable: false,
  },
  'template-failed': { ...temporary, message: 'A template cannot be rendered with the current data.' },
  'value-refused': { ...temporary, message: 'A value from the catalog cannot be written safely into this format.' },
  'file-unwritable': { ...temporary, message: 'A destination cannot be written, replaced or given its owner.' },
  'check-failed': { ...temporary, message: 'The check command refuses a rendered candidate.' },
  'reload-failed': { ...temporary, message: 'The reload of the consumer failed.' },
  'verify-failed': { ...temporary, message: 'The consumer does not work with the new file.' },
  'command-failed': {
    ...temporary,
    message: 'A command could not be started, was killed or exited with an error.',
  },
  'command-timeout': { ...temporary, message: 'A command did not end within its timeout and was killed.' },
  'failover-refused': {
    ...refused,
    message: 'A planned failover cannot begin; nothing was changed.',
    httpStatus: 409,
  },
  'failover-stalled': {
    ...temporary,
    message: 'A planned failover did not complete; the message says what may be lost.',
    retryable: false,
  },
  'rebase-refused': {
    ...refused,
    message: 'A new generation cannot begin: the Sentinels do not agree, or the target is not a master.',
    httpStatus: 409,
  },
  'forget-refused': {
    ...refused,
    message: 'A master or a cluster cannot be removed from Consul.',
    httpStatus: 409,
  },
  'approve-refused': {
    ...refused,
    message: 'The text that the guard holds is not the text that was approved.',
    httpStatus: 409,
  },
  'request-invalid': { ...refused, message: 'An HTTP request does not match the schema of its route.' },
  'request-denied': { ...refused, message: 'An HTTP request has no token or a wrong token.', httpStatus: 401 },
  'request-foreign': {
    ...refused,
    message: 'An HTTP request comes from a page of another site, or is for a host name that the API does not know.',
    httpStatus: 403,
  },
  'not-found': { ...refused, message: 'The named thing does not exist.', httpStatus: 404, retryable: true },
  'request-too-large': { ...refused, message: 'An HTTP request exceeds the size limit.', httpStatus: 413 },
  'request-throttled': { ...temporary, message: 'There are too many HTTP requests or readers.', httpStatus: 429 },
  internal: { ...temporary, message: 'There is a defect in switchmaster itself.', httpStatus: 500 },
  'not-ready': { ...temporary, message: 'A part has not yet observed everything that it needs.' },
  'role-not-held': { ...temporary, message: 'The record does not list this address in the requested role.' },
  'replica-lags': {
    ...temporary,
    message: 'A replica is further behind its master than the request permits, or its lag is unknown.',
  },
  'template-not-current': {
    ...temporary,
    message: 'The consumer of a template does not use the text that it should.',
  },
  'not-following': { ...temporary, message: 'This node would not learn of a change of master.' },
  'api-unreachable': { ...temporary, message: 'The HTTP API of a running switchmaster does not answer.' },
  stopping: { ...temporary, message: 'The daemon is stopping.', retryable: false },
} as const satisfies Readonly<Record<string, ErrorRow>>;

export type ErrorCode = keyof typeof rows;

export const errorTable: { readonly [C in ErrorCode]: ErrorRow } = rows;

/** Where the documentation describes a code. */
export function errorDoc(code: ErrorCode): string {
  return `docs/reference/errors.md#${code}`;
}

/** The one error class. */
export class SwitchmasterError extends Error {
  readonly code: ErrorCode;
  /** Fields for logs and programs. They never contain secrets. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; details?: Record<string, unknown> } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SwitchmasterError';
    this.code = code;
    this.details = options.details ?? {};
  }

  get retryable(): boolean {
    return errorTable[this.code].retryable;
  }

  /** Returns a SwitchmasterError unchanged and wraps anything else. */
  static from(thrown: unknown, code: ErrorCode = 'internal'): SwitchmasterError {
    if (thrown instanceof SwitchmasterError) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new SwitchmasterError(code, message, { cause: thrown });
  }
}

/** True for the rejection that an AbortSignal causes, in each form that Node and its libraries use. */
export function isAbort(thrown: unknown): boolean {
  return (
    thrown instanceof Error && (thrown.name === 'AbortError' || (thrown as { code?: unknown }).code === 'ABORT_ERR')
  );
}
