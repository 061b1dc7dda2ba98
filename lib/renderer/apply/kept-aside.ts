import { constants } from 'node:fs';
import { copyFile, link, readdir, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { SwitchmasterError } from '../../errors.ts';
import { withinDeadline, writeTimeoutMs } from '../../file-system.ts';
import { readRegularFile } from '../../regular-file.ts';
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
  const copy = (path: string) => copyFile(present.path, path, constants.COPYFILE_EXCL);
  // A file that the daemon may not read, in a folder that it may write.
  const move = (path: string) => link(present.path, path).catch(() => rename(present.path, path));
  const take = (path: string) =>
    copy(path).catch((thrown) => {
      if (placement === 'in-place' || present.access === 'readable') throw thrown;
      return move(path);
    });
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

async function findKept(folder: string, present: PresentFile): Promise<string | undefined> {
  const names = await withinDeadline(folder, () => readdir(folder)).catch(() => [] as string[]);
  for (const name of names.filter((name) => name.startsWith(`${basename(present.path)}${marker}`))) {
    const bytes = await readRegularFile(join(folder, name), { maxBytes }).catch(() => undefined);
    if (bytes !== undefined && present.access === 'readable' && present.bytes.equals(Buffer.from(bytes)))
      return join(folder, name);
  }
  return undefined;
}
