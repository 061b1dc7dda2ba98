import { lstat, readlink, realpath } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { unwritable } from './unwritable.ts';

/** The file behind a symbolic link, which is replaced in place of the link. */
export async function followLinks(destination: string, depth = 0): Promise<string> {
  const info = await lstat(destination).catch(() => undefined);
  if (!info?.isSymbolicLink()) return destination;
  return realpath(destination).catch(async (thrown: NodeJS.ErrnoException) => {
    if (thrown.code === 'ENOENT' && depth < maxLinks) {
      // The target does not exist yet, for example below /run after a boot: it is created there.
      return followLinks(resolve(dirname(destination), await readlink(destination)), depth + 1);
    }
    throw unwritable(destination, 'be followed to where it links', thrown);
  });
}

/** As many as Linux follows. */
const maxLinks = 40;
