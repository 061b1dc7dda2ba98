import { fileURLToPath } from 'node:url';

/** Set by the runner: the program that tests start as `switchmaster`. */
export const programVariable = 'SWITCHMASTER_TEST_PROGRAM';

const source = fileURLToPath(new URL('../../cmd/switchmaster.ts', import.meta.url));

/** What Node runs as `switchmaster`: the bundle that the runner has built, otherwise the source. */
export function programFile(): string {
  return process.env[programVariable] ?? source;
}

/** The variables that a Node process under test keeps of this process, where the rest of its environment is its own. */
export function nodeEnvironment(): Record<string, string> {
  const { PATH = '', NODE_OPTIONS, NODE_COMPILE_CACHE } = process.env;
  return { PATH, ...(NODE_OPTIONS && { NODE_OPTIONS }), ...(NODE_COMPILE_CACHE && { NODE_COMPILE_CACHE }) };
}
