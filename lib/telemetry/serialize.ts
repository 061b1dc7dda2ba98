import { SwitchmasterError } from '../errors.ts';

const maxCauses = 5;

/** An error as facts. */
// An interface has no index signature, which the API's shape of an error has.
export type SerializedError = {
  readonly code: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly causes?: readonly string[];
  /** Only of defects: the stack of an expected failure helps nobody. */
  readonly stack?: string;
};

/**
 * Picks what may be shown. Properties of foreign errors are left out: clients attach whole requests with their tokens to
 * them.
 */
export function serializeError(thrown: unknown): SerializedError {
  const error = SwitchmasterError.from(thrown);
  const causes = causesOf(error);
  const stack = error.code === 'internal' ? stackOf(error) : undefined;
  return {
    code: error.code,
    message: error.message,
    ...(Object.keys(error.details).length === 0 ? {} : { details: error.details }),
    ...(causes.length === 0 ? {} : { causes }),
    ...(stack === undefined ? {} : { stack }),
  };
}

function causesOf(error: Error): readonly string[] {
  const causes: string[] = [];
  let last = error.message;
  for (let cause = error.cause; cause instanceof Error && causes.length < maxCauses; cause = cause.cause) {
    const code = (cause as { code?: unknown }).code;
    const text =
      typeof code === 'string' && !cause.message.includes(code) ? `${code}: ${cause.message}` : cause.message;
    if (text !== last) causes.push(text);
    last = text;
  }
  return causes;
}

function stackOf(error: Error): string | undefined {
  return (error.cause instanceof Error ? error.cause : error).stack;
}
