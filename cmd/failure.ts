import { type ErrorCode, errorTable, SwitchmasterError } from '../lib/errors.ts';
import { serializeError } from '../lib/telemetry/serialize.ts';
import type { ExitCode } from './exit-code.ts';
import { columnsOf, fold, printJson } from './terminal.ts';

/** What to type about errors whose message has no fix of its own. */
const commands: Readonly<Partial<Record<ErrorCode, string>>> = {
  'consul-unreachable': 'consul members',
  'consul-unavailable': 'consul operator raft list-peers',
  'consul-denied': 'switchmaster acl',
  'redis-unreachable': 'switchmaster check --online',
  'redis-timeout': 'switchmaster check --online',
  'redis-denied': 'switchmaster check --online',
};

/**
 * Prints an error and its causes to standard error, with --debug also its stack; where the command prints data for
 * programs, also to standard output. Returns the exit code.
 */
export function printFailure(thrown: unknown, options: { readonly debug: boolean; readonly data: boolean }): ExitCode {
  const error = SwitchmasterError.from(thrown);
  const { causes = [] } = serializeError(error);
  const command = commands[error.code];
  const hint = command === undefined ? {} : { hint: command };
  if (options.data) printErrorData({ code: error.code, message: error.message, causes, ...hint });
  const lines = [`${error.code}: ${error.message}`, ...causes.map((cause) => `  because: ${cause}`)];
  if (command !== undefined) lines.push(`  $ ${command}`);
  if (error.code === 'internal' && !options.debug)
    lines.push('  This is a defect. Run with --debug and report what it says.');
  if (options.debug) lines.push(stackOf(thrown));
  process.stderr.write(`${fold(lines.join('\n'), columnsOf(process.stderr))}\n`);
  return errorTable[error.code].exitCode;
}

/** In the form of the API's errors. */
export function printErrorData(error: {
  readonly code: string;
  readonly message: string;
  readonly causes?: readonly string[];
  /** What to type. */
  readonly hint?: string;
}) {
  printJson({ error });
}

function stackOf(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}
