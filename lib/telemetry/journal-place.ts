import { access, constants, lstat, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { withinDeadline } from '../file-system.ts';
import { followLinks } from '../links.ts';

/** Why the daemon could not keep its journal in a file now; undefined where it could. */
export async function examineJournalPlace(file: string): Promise<string | undefined> {
  try {
    return await withinDeadline(file, () => examine(file));
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException;
    const reason = code === 'EACCES' ? `permission denied; ${way}` : message;
    return `${file} cannot be written: ${reason}`;
  }
}

const way = 'let the daemon write it, or name another file';

async function examine(file: string): Promise<string | undefined> {
  const target = await followLinks(file);
  const info = await lstat(target).catch(() => undefined);
  if (info === undefined) {
    await access(await nearestFolder(target), constants.W_OK | constants.X_OK);
    return undefined;
  }
  if (!info.isFile())
    return `${file} is a ${info.isDirectory() ? 'folder' : 'pipe, a device or a socket'}; name another file`;
  await access(target, constants.W_OK);
  return undefined;
}

/** The journal creates the folders below it. */
async function nearestFolder(file: string): Promise<string> {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const isPresent = await stat(folder).then(
      () => true,
      ({ code }: NodeJS.ErrnoException) => code !== 'ENOENT' || folder === '/',
    );
    if (isPresent) return folder;
  }
}
