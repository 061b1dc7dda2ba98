import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type ProgramEnv, selectEnv } from '../../model/program-env.ts';

/** How Node's spawn starts a program. */
export interface Launch {
  readonly file: string;
  readonly argv0: string;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * A program is found in the daemon's own PATH, where `check` looks for it, also if it gets another PATH or none. Without `env`,
 * it gets the daemon's environment without the daemon's secrets.
 */
export function launchOf(program: string, env?: ProgramEnv): Launch {
  const given = selectEnv(process.env, env);
  const { PATH: own = '' } = process.env;
  const isFound = program.includes('/') || given.PATH === process.env.PATH;
  return { file: (isFound ? undefined : findProgram(program, own)) ?? program, argv0: program, env: given };
}

/** The file of a program without a slash in its name, as execvp(3) finds it in a PATH. */
export function findProgram(program: string, path: string): string | undefined {
  return path
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find(isExecutable);
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Signals a process group by its leader. Does nothing when the group is empty. */
export function signalGroup(leader: number | undefined, signal: NodeJS.Signals): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, signal);
  } catch {
    // The group is empty.
  }
}

const bound = new Set<number>();

/**
 * Kills the group if the daemon exits without having ended it, for example at a second SIGTERM. Returns a function that
 * takes this back.
 */
export function bindGroup(leader: number): () => void {
  if (bound.size === 0) process.on('exit', killBound);
  bound.add(leader);
  return () => {
    if (bound.delete(leader) && bound.size === 0) process.off('exit', killBound);
  };
}

function killBound(): void {
  for (const leader of bound) signalGroup(leader, 'SIGKILL');
}
