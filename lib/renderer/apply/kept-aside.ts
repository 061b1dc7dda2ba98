import { link, readdir, rename, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { SwitchmasterError } from '../../errors.ts';
import { withinDeadline, writeTimeoutMs } from '../../file-system.ts';
import { anchored } from '../../links.ts';
import { readRegularBytes } from '../../regular-file.ts';
import type { PresentFile } from './file.ts';

/*
 * A file that switchmaster did not write stays for ever under a name with a date, before another takes its place. The name
 * does not end as the file's own does, so that a program which reads a folder of `*.cfg` or `*.conf` does not read it.
 */

/** A larger file is compared with none. */
const maxBytes = 256 * 1024 * 1024;
const marker = '.before-switchmaster-';

/**
 * Keeps a file beside its place, or in the temporary folder where its own takes none. Returns the path. A copy that has the
 * same content already counts. Throws `file-unwritable`: then the file must not be replaced.
 */
export async function keepAside(
  present: PresentFile,
  { placement, now }: { readonly placement: 'rename' | 'in-place'; readonly now: Date },
): Promise<string> {
  const folder = dirname(present.path);
  const kept = await findKept(folder, present);
  if (kept !== undefined) return kept;
  const name = `${basename(present.path)}${marker}${now.toISOString().replace(/[-:]|\.\d+/g, '')}`;
  const take = (path: string) =>
    present.access === 'readable' || placement === 'in-place' ? copy(present, path) : move(present.path, path);
  const failures: unknown[] = [];
  for (const path of [join(folder, name), join(tmpdir(), name)]) {
    try {
      await withinDeadline(present.path, () => take(path), { timeoutMs: writeTimeoutMs });
      return path;
    } catch (thrown) {
      failures.push(thrown);
    }
  }
  const message = `${present.path} stays as it is: no copy of it can be kept as ${join(folder, name)}: ${(failures[0] as Error).message}`;
  throw new SwitchmasterError('file-unwritable', message, { cause: failures[0] });
}

/** Writes what was read: another file may have taken the place since. */
function copy({ bytes, mode, access }: PresentFile, path: string): Promise<void> {
  return anchored(path, async (kept) => {
    if (access === 'unreadable') throw new Error('the daemon may not read it');
    try {
      await writeFile(kept, bytes, { mode: mode & 0o777, flag: 'wx' });
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') await unlink(kept).catch(() => undefined);
      throw thrown;
    }
  });
}

/** For a file that the daemon may not read, in a folder that it may write. */
function move(present: string, path: string): Promise<void> {
  return anchored(present, (from) => anchored(path, (to) => link(from, to).catch(() => rename(from, to))));
}

async function findKept(folder: string, present: PresentFile): Promise<string | undefined> {
  const names = await withinDeadline(folder, () => readdir(folder)).catch(() => [] as string[]);
  for (const name of names.filter((name) => name.startsWith(`${basename(present.path)}${marker}`))) {
    const bytes = await readRegularBytes(join(folder, name), { maxBytes }).catch(() => undefined);
    if (bytes !== undefined && present.access === 'readable' && present.bytes.equals(bytes)) return join(folder, name);
  }
  return undefined;
}
