import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectDir = dirname(dirname(fileURLToPath(import.meta.url)));

/** Programs unpacked for this project only. Ignored by git; deleting it is always safe. */
export const toolsDir = join(projectDir, '.tools');

/** Links to, and wrappers of, the unpacked programs: the sandbox appends this folder to its PATH. */
export const toolsBinDir = join(toolsDir, 'bin');

// Debian puts daemons (haproxy, nutcracker) where an unprivileged user's PATH does not look.
const systemDirs = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** The folders searched for a program, in order. */
export function searchDirs(env = process.env) {
  const onPath = (env.PATH ?? '').split(delimiter).filter(Boolean);
  return [...new Set([...onPath, ...systemDirs, toolsBinDir])];
}

/** The full path of an executable file, or undefined. */
export function findProgram(name, dirs = searchDirs()) {
  return dirs.map((dir) => join(dir, name)).find(isExecutable);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
