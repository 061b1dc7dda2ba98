import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Runs a program to its end and resolves with its output. Rejects if it fails or takes longer than `timeoutMs` (10 s). */
export async function run(
  argv: readonly string[],
  { timeoutMs = 10_000, env }: { readonly timeoutMs?: number; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  const [file = '', ...args] = argv;
  const options = { timeout: timeoutMs, maxBuffer: 64 * 1024 * 1024, killSignal: 'SIGKILL' as const };
  const { stdout } = await execute(file, args, { ...options, ...(env && { env }) });
  return stdout;
}
