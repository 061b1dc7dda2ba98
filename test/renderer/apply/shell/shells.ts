import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Test } from 'tap';
import { isExecutable } from '../../../../lib/renderer/apply/process-group.ts';
import { ShellPool, type ShellPoolOptions } from '../../../../lib/renderer/apply/shell/pool.ts';
import { waitFor } from '../../../sandbox/condition.ts';
import { isAlive } from '../../../sandbox/is-alive.ts';

const folders = ['/bin', '/usr/bin', ...(process.env.PATH ?? '').split(delimiter)];

/** The shells that this machine has, by the name of their program. */
export function findShells(t: Pick<Test, 'testdir'>): readonly { readonly name: string; readonly shell: string }[] {
  const links = t.testdir({});
  return ['dash', 'bash', 'busybox'].flatMap((name) => {
    const file = folders.map((folder) => join(folder, name)).find(isExecutable);
    if (file === undefined) return [];
    // BusyBox chooses its program by the name.
    const shell = join(links, name, 'sh');
    return [{ name, shell: linkTo(file, shell) }];
  });
}

function linkTo(file: string, link: string): string {
  const [folder = '', name = ''] = [join(link, '..'), 'sh'];
  mkdirSync(folder, { recursive: true });
  symlinkSync(file, join(folder, name));
  return link;
}

/** A pool whose shells wait already. They have time to start on a busy machine. */
export async function openPool(
  t: Pick<Test, 'teardown'>,
  { size = 1, ...options }: Partial<ShellPoolOptions> = {},
): Promise<ShellPool> {
  const pool = new ShellPool({ size, calmMs: 1, startLimitMs: 60_000, ...options });
  t.teardown(() => pool.close());
  pool.open();
  await untilFull(pool, size);
  return pool;
}

export async function untilFull(pool: ShellPool, size = 1): Promise<readonly number[]> {
  return waitFor('shells to wait', () => pool.waiting, { until: (pids) => pids.length === size, intervalMs: 2 });
}

/** Those of the processes that have not ended. */
export function alive(pids: readonly number[]): readonly number[] {
  return pids.filter(isAlive);
}

/** A program that a pool takes for a shell. */
export function scriptAsShell(t: Pick<Test, 'testdir'>, script: string): string {
  const shell = join(t.testdir({ dash: `#!/bin/sh\n${script}\n` }), 'dash');
  chmodSync(shell, 0o755);
  return shell;
}
