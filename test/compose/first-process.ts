import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { waitFor } from '../sandbox/condition.ts';
import { isAlive } from '../sandbox/is-alive.ts';

/** The process id, on this machine, of process 1 in the namespaces that a running `unshare --fork` made; undefined before it has one. */
export function firstProcess({ pid }: ChildProcess): number | undefined {
  const [first = ''] = readProcess(`${pid}/task/${pid}/children`).split(' ');
  return first === '' ? undefined : Number(first);
}

/**
 * Kills an `unshare --fork --kill-child`, and with it all processes in its namespaces. `unshare` ends at once. The promise
 * resolves when process 1 has ended, which the kernel ends last: then nothing of them has a file or a port.
 */
export async function killAll(unshare: ChildProcess): Promise<void> {
  const first = firstProcess(unshare);
  unshare.kill('SIGKILL');
  if (first !== undefined) await waitFor(`process ${first} to end`, () => !isAlive(first));
}

/** A file of a process; empty if there is no such process. */
function readProcess(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return '';
  }
}
