import { basename, dirname, join } from 'node:path';

/** Where the renderer keeps what took effect last. */
export function renderStatePath(destination: string): string {
  return join(dirname(destination), `.${basename(destination)}.switchmaster.json`);
}

/** Where the renderer keeps the last good file, for a rollback. */
export function goodCopyPath(destination: string): string {
  return join(dirname(destination), `.${basename(destination)}.switchmaster.good`);
}

/** Where the renderer notes the process of a supervised program. */
export function leftProgramPath(destination: string): string {
  return join(dirname(destination), `.${basename(destination)}.switchmaster.program`);
}
