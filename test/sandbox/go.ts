import { execFile } from 'node:child_process';
import { delimiter } from 'node:path';
import { promisify } from 'node:util';

/**
 * Runs the Go program in a folder, and answers its standard output. Go downloads the program's modules once. Rejects with what the
 * program says on standard error, or, without Go, with a hint that names the command that needs it.
 */
export async function runGo(
  folder: string,
  { args, neededBy }: { readonly args: readonly string[]; readonly neededBy: string },
): Promise<string> {
  const path = [process.env.PATH ?? '', '/usr/local/go/bin', '/usr/lib/go/bin'].join(delimiter);
  const options = { cwd: folder, env: { ...process.env, PATH: path }, timeout: 900_000, maxBuffer: 16 * 1024 * 1024 };
  const { stdout } = await promisify(execFile)('go', ['run', '.', ...args], options).catch((error) => {
    if (error.code !== 'ENOENT') throw error;
    throw new Error(`${neededBy} runs a Go program: install Go (https://go.dev/doc/install), and run again`);
  });
  return stdout;
}
