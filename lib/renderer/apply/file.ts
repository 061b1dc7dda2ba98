import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { SwitchmasterError } from '../../errors.ts';
import { withinDeadline } from '../../file-system.ts';
import { anchored, followLinks } from '../../links.ts';
import { unwritable } from './unwritable.ts';

interface Ownership {
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Wanted permissions. What is left out stays as it is. A new file gets 0644 and the daemon's user and group. */
export type WantedOwnership = { readonly [K in keyof Ownership]?: Ownership[K] | undefined };

export interface PresentFile extends Ownership {
  /** Empty where the daemon may not read the file. */
  readonly bytes: Buffer;
  readonly access: 'readable' | 'unreadable';
  /** The destination, or the file that it links to. */
  readonly path: string;
}

/** Without O_NONBLOCK, opening a pipe waits for a writer. */
const readFlags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/** No output is as large. */
const maxPresentBytes = 64 * 1024 * 1024;
/** Reads the destination; undefined when it does not exist. Throws `file-unwritable` when it is not a regular file. */
export async function readDestination(destination: string): Promise<PresentFile | undefined> {
  try {
    return await withinDeadline(destination, () => readPresent(destination));
  } catch (thrown) {
    throw unwritable(destination, 'be read', thrown);
  }
}

async function readPresent(destination: string): Promise<PresentFile | undefined> {
  try {
    const path = await followLinks(destination);
    const handle = await anchored(path, (anchoredPath) => open(anchoredPath, readFlags));
    try {
      const info = await handle.stat();
      if (!info.isFile()) throw new SwitchmasterError('file-unwritable', `${destination} is not a regular file.`);
      if (info.size > maxPresentBytes) throw new Error(`it is larger than ${maxPresentBytes} bytes`);
      const bytes = await handle.readFile();
      return { bytes, access: 'readable', path, mode: info.mode & 0o7777, uid: info.uid, gid: info.gid };
    } finally {
      closeLater(handle);
    }
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    const unread = code === 'EACCES' ? await describeUnread(destination) : undefined;
    if (unread !== undefined) return unread;
    throw thrown;
  }
}

/** A file that only others may read, in a folder that the daemon may write: the daemon can still replace it. */
async function describeUnread(destination: string): Promise<PresentFile | undefined> {
  const info = await stat(destination).catch(() => undefined);
  if (info?.isFile() !== true) return undefined;
  const path = await followLinks(destination);
  const { uid, gid, mode } = info;
  return { bytes: Buffer.alloc(0), access: 'unreadable', path, mode: mode & 0o7777, uid, gid };
}

/** The bytes are on the disk or read already. */
export function closeLater(handle: FileHandle): void {
  void handle.close().catch(() => undefined);
}

/** Sets the configured permissions where they differ. */
export async function correctOwnership(
  destination: string,
  ownership: WantedOwnership,
): Promise<'corrected' | 'unchanged'> {
  try {
    return await withinDeadline(destination, () => correct(destination, ownership));
  } catch (thrown) {
    throw unwritable(destination, 'be given its owner and mode', thrown);
  }
}

async function correct(destination: string, ownership: WantedOwnership): Promise<'corrected' | 'unchanged'> {
  const present = await readPresent(destination);
  if (present === undefined) return 'unchanged';
  const owned = (ownership.uid ?? present.uid) === present.uid && (ownership.gid ?? present.gid) === present.gid;
  if (owned && (ownership.mode ?? present.mode) === present.mode) return 'unchanged';
  // By its handle: a link that takes its place meanwhile would give another file away.
  const handle = await anchored(present.path, (path) => open(path, readFlags));
  try {
    if (!owned) await handle.chown(ownership.uid ?? present.uid, ownership.gid ?? present.gid);
    await handle.chmod(ownership.mode ?? present.mode);
  } finally {
    closeLater(handle);
  }
  return 'corrected';
}
