import { run } from './command.ts';

const linter = 'dockerfile-utils@0.16.3';

/** Rejects with what the linter prints about a Dockerfile, warnings included. npm fetches the linter the first time. */
export async function lintDockerfile(path: string): Promise<void> {
  const argv = ['npm', 'exec', '--yes', `--package=${linter}`, '--', 'dockerfile-utils', 'lint', path];
  const output = await run(argv, { timeoutMs: 300_000 }).catch((error) => `${error.message}\n${error.stdout}`);
  if (output.trim() !== '') throw new Error(`${linter}: ${output.trim()}`);
}
