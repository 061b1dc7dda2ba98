import { chmodSync, chownSync, lchownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { swapIn, writeCandidate } from '../../../lib/renderer/apply/candidate.ts';
import { readDestination } from '../../../lib/renderer/apply/file.ts';

/* A folder that belongs to another user, who may put anything there. The tests run as root. */

export const nobody = 65_534;
export const skip = process.getuid?.() === 0 ? false : 'only root can make files of somebody else';
const { signal } = new AbortController();

/** A folder of nobody, and a secret of root beside it. */
export function makeFolders(t: Test): { readonly folder: string; readonly secret: string; readonly root: string } {
  const root = mkdtempSync(join(tmpdir(), 'switchmaster-foreign-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  chmodSync(root, 0o755);
  const folder = join(root, 'theirs');
  mkdirSync(folder);
  chownSync(folder, nobody, nobody);
  writeFileSync(join(root, 'secret'), 'secret of root', { mode: 0o600 });
  return { folder, secret: join(root, 'secret'), root };
}

/** A link that belongs to the user `nobody`. */
export function plant(target: string, path: string): void {
  symlinkSync(target, path);
  lchownSync(path, nobody, nobody);
}

export async function replace(destination: string, text: string): Promise<void> {
  const present = await readDestination(destination);
  await swapIn(await writeCandidate({ destination, bytes: Buffer.from(text), ownership: {}, present, signal }));
}
