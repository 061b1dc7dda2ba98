import { constants } from 'node:fs';
import { access, lstat, mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SwitchmasterError } from '../../errors.ts';
import { withinDeadline } from '../../file-system.ts';
import { followLinks, isTrustedOwner } from '../../links.ts';
import { unwritable } from './unwritable.ts';

/*
 * The folders above a destination that do not exist yet. They belong to the daemon's user and have mode 0755, whatever the umask:
 * the owner of the file could put links into a folder of his own. They are created only where nobody else can replace a new
 * folder by a link.
 */

const folderMode = 0o755;
const stickyBit = 0o1000;
const writableByAll = 0o002;

/** Creates the missing folders above a file. Throws `file-unwritable`. */
export async function createFolders(file: string): Promise<void> {
  try {
    await withinDeadline(file, async () => {
      const { missing } = await findMissing(file);
      for (const folder of missing) await createFolder(folder);
    });
  } catch (thrown) {
    throw unwritable(file, 'get its folders', thrown);
  }
}

/** Whether folders above a file are missing. Throws `file-unwritable` if {@link createFolders} could not create them. */
export async function examineFolders(file: string): Promise<'missing' | 'present'> {
  return withinDeadline(file, () => examine(file));
}

async function examine(file: string): Promise<'missing' | 'present'> {
  const { missing, parent } = await findMissing(file);
  const [first] = missing;
  if (first === undefined) return 'present';
  await access(parent, constants.W_OK | constants.X_OK).catch((thrown) => {
    throw unwritable(first, 'be created', thrown);
  });
  return 'missing';
}

/** The missing folders, the uppermost first, and the folder that they would be in. */
async function findMissing(file: string): Promise<{ readonly missing: readonly string[]; readonly parent: string }> {
  const missing: string[] = [];
  let folder = dirname(await followLinks(file));
  for (;;) {
    const info = await stat(folder).catch(async (thrown: NodeJS.ErrnoException) => {
      if (thrown.code !== 'ENOENT') throw unwritable(folder, 'be created', thrown);
      const isLink = (await lstat(folder).catch(() => undefined)) !== undefined;
      if (isLink) throw refusal(folder, 'it is a link to a folder that does not exist; create that folder');
      return undefined;
    });
    if (info !== undefined) {
      if (missing.length > 0) requireSafe(folder, info);
      return { missing, parent: folder };
    }
    missing.unshift(folder);
    folder = dirname(folder);
  }
}

/** Others could move a new folder away, and put a link in its place. */
function requireSafe(folder: string, { uid, mode }: { readonly uid: number; readonly mode: number }): void {
  const hint = 'create it yourself, or give the folder above it to root or to the user of the daemon';
  if (!isTrustedOwner(uid)) throw refusal(folder, `it belongs to user ${uid}; ${hint}`, 'get a folder');
  if ((mode & writableByAll) !== 0 && (mode & stickyBit) === 0)
    throw refusal(folder, 'everybody may write to it; create the folder yourself, or run chmod +t', 'get a folder');
}

async function createFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, folderMode);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw unwritable(folder, 'be created', thrown);
    const info = await lstat(folder);
    if (!info.isDirectory() || !isTrustedOwner(info.uid)) throw refusal(folder, 'somebody else created it meanwhile');
    return;
  }
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    const { mode } = await handle.stat();
    // Keeps the set-group-id bit of the folder above it.
    if ((mode & 0o777) !== folderMode) await handle.chmod((mode & 0o7000) | folderMode);
  } finally {
    await handle.close();
  }
}

function refusal(path: string, reason: string, what = 'be created'): SwitchmasterError {
  return new SwitchmasterError('file-unwritable', `${path} cannot ${what}: ${reason}.`, { details: { path } });
}
