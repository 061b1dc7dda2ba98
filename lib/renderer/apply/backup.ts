// A default import: an older Node.js does not have the name, and must still get to the check of its version.
import crypto from 'node:crypto';
import { lstat, unlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SwitchmasterError } from '../../errors.ts';
import { withinDeadline } from '../../file-system.ts';
import { anchored } from '../../links.ts';
import { backupPath, type TemplateSpec } from '../../model/template-spec.ts';
import { readRegularFile } from '../../regular-file.ts';
import { swapIn, writeCandidate } from './candidate.ts';
import { type PresentFile, readDestination } from './file.ts';
import { InOrder } from './in-order.ts';
import { keepAside } from './kept-aside.ts';

/*
 * The former content of a destination, as NAME.bak. Beside it, `.NAME.switchmaster.bak` has its digest: a file with another
 * digest is not the daemon's, and stays under a name with a date.
 *
 * It is a copy: the good copy must not have a second name, because others could have made it.
 */

const maxBytes = 64 * 1024 * 1024;

/** Replaces the backup of a file by `present`, its content before the change. A failure is a warning. */
export async function keepBackup(
  { spec, warn }: { readonly spec: Pick<TemplateSpec, 'backup'>; readonly warn: (warning: string) => void },
  present: PresentFile | undefined,
): Promise<void> {
  if (spec.backup !== 'kept' || present === undefined) return;
  try {
    await replacing.run(present.path, () => replaceBackup(present));
  } catch (thrown) {
    warn(`The former ${present.path} is not kept. ${SwitchmasterError.from(thrown).message}`);
  }
}

/** By file. */
const replacing = new InOrder();

async function replaceBackup(present: PresentFile): Promise<void> {
  if (present.access === 'unreadable') throw new SwitchmasterError('file-unwritable', 'The daemon may not read it.');
  const path = backupPath(present.path);
  await keepForeign(path, present.path);
  const { bytes } = present;
  const { signal } = new AbortController();
  await swapIn(
    await writeCandidate({ destination: path, bytes, ownership: {}, present: { ...present, path }, signal }),
  );
  await writeMarker(present.path, crypto.hash('sha256', bytes));
}

/** A link in the place of the backup is replaced, and the file that it leads to stays. */
async function keepForeign(path: string, destination: string): Promise<void> {
  const info = await withinDeadline(path, () => lstat(path)).catch(() => undefined);
  if (info?.isFile() !== true) return;
  const former = await readDestination(path);
  if (former === undefined) return;
  const marker = await readRegularFile(markerPath(destination), { maxBytes, accept: () => undefined }).catch(() => '');
  if (marker.trim() !== crypto.hash('sha256', former.bytes))
    await keepAside(former, { placement: 'rename', now: new Date() });
}

async function writeMarker(destination: string, digest: string): Promise<void> {
  const path = markerPath(destination);
  const write = async (file: string) => {
    await unlink(file).catch(() => undefined);
    await writeFile(file, `${digest}\n`, { mode: 0o600, flag: 'wx' });
  };
  await withinDeadline(path, () => anchored(path, write));
}

function markerPath(destination: string): string {
  return join(dirname(destination), `.${basename(destination)}.switchmaster.bak`);
}
