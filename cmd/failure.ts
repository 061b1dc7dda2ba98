import { errorTable, SwitchmasterError } from '../lib/errors.ts';
import { serializeError } from '../lib/telemetry/serialize.ts';
import type { ExitCode } from './exit-code.ts';

/** Prints an error and its causes to standard error, with --debug also its stack. Returns the exit code. */
export function printFailure(thrown: unknown, options: { readonly debug: boolean }): ExitCode {
  const error = SwitchmasterError.from(thrown);
  const { causes = [] } = serializeError(error);
  const lines = [`${error.code}: ${error.message}`, ...causes.map((cause) => `  because: ${cause}`)];
  if (error.code === 'internal' && !options.debug)
    lines.push('  This is a defect. Run with --debug and report what it says.');
  if (options.debug) lines.push(stackOf(thrown));
  process.stderr.write(`${lines.join('\n')}\n`);
  return errorTable[error.code].exitCode;
}

function stackOf(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}
