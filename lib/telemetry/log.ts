import { type DestinationStream, type Logger, pino } from 'pino';
import { pinoPretty } from './pretty.ts';
import { serializeError } from './serialize.ts';

export type Log = Logger;

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** `auto`: one line for people on a terminal, else JSON. */
  readonly format: 'auto' | 'json' | 'pretty';
  readonly stream: DestinationStream;
  readonly environment?: NodeJS.ProcessEnv;
}

/** Keys whose values are redacted, at the top and one or two levels down. */
const secretKeys = ['password', 'token', 'secret', 'auth', 'authorization', 'cookie'];

/**
 * The log: constant messages plus fields. The entry point of a process makes it; parts get children of it.
 */
export function makeLog(options: LogOptions): Log {
  const { stream } = options;
  const pretty = options.format === 'pretty' || (options.format === 'auto' && process.stderr.isTTY === true);
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: serializeError },
      errorKey: 'error',
      redact: {
        paths: secretKeys.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]),
        censor: '[redacted]',
      },
    },
    pretty ? pinoPretty({ stream, environment: options.environment ?? process.env }) : stream,
  );
}
