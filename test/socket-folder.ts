import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

/** A folder for sockets with a short path: that of a socket has 107 bytes at most, and the path of a checkout may be long. */
export function makeSocketFolder(t: Pick<Test, 'teardown'>): string {
  const folder = mkdtempSync(join(tmpdir(), 'switchmaster-sockets-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
