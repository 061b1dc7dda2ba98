import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, stat } from 'node:fs/promises';
import { SwitchmasterError } from '../../errors.ts';
import { withinDeadline } from '../../file-system.ts';
import { anchored, followLinks, hasOwnName, refuseNames } from '../../links.ts';
import { readOpened, stampOpened, statOpened } from '../../regular-file.ts';
import type { KnownFile, Place } from './known-file.ts';
import { goodCopyPath } from './side-files.ts';
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
  /** Empty where the daemon may not read the file, or where somebody else may have put another file there. */
  readonly bytes: Buffer;
  readonly access: 'readable' | 'unreadable';
  /** The destination, or the file that it links to. */
  readonly path: string;
}

/** Without O_NONBLOCK, opening a pipe waits for a writer. */
const readFlags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/** No output is as large. */
const maxPresentBytes = 64 * 1024 * 1024;
/**
 * Reads the destination; undefined when it does not exist. Throws `file-unwritable` when it is not a regular file. `known`: answers
 * for a file that it knows, and learns one that is read.
 */
export async function readDestination(
  destination: string,
  known?: KnownFile<PresentFile>,
): Promise<PresentFile | undefined> {
  try {
    return await withinDeadline(destination, () => readPresent(destination, known));
  } catch (thrown) {
    throw unwritable(destination, 'be read', thrown);
  }
}

async function readPresent(destination: string, known?: KnownFile<PresentFile>): Promise<PresentFile | undefined> {
  try {
    return await reach(destination, async (place) => known?.recall(place) ?? readAt(place, known));
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    const unread = code === 'EACCES' ? await describeUnread(destination) : undefined;
    if (unread !== undefined) return unread;
    throw thrown;
  }
}

async function reach<T>(destination: string, call: (place: Place) => Promise<T>): Promise<T> {
  const path = await followLinks(destination);
  return anchored(path, (anchoredPath) => call({ destination, path, anchoredPath }));
}

async function readAt(place: Place, known: KnownFile<PresentFile> | undefined): Promise<PresentFile> {
  const { path } = place;
  const { handle, info, names } = await openAt(place);
  try {
    if (names === 'foreign') return describe({ info, path });
    const before = known === undefined ? undefined : { stamp: stampOpened(handle), nowMs: Date.now() };
    const bytes = await readOpened(handle, { size: info.size, maxBytes: maxPresentBytes });
    const present = { ...describe({ info, path }), bytes, access: 'readable' } as const;
    if (before !== undefined) known?.learn(present, before);
    return present;
  } finally {
    closeLater(handle);
  }
}

interface OpenFile {
  readonly handle: FileHandle;
  readonly info: Stats;
  /** `foreign`: somebody else may have put another file there, under a second name. It is neither read nor changed. */
  readonly names: 'own' | 'foreign';
}

async function openAt({ destination, anchoredPath }: Place): Promise<OpenFile> {
  const handle = await open(anchoredPath, readFlags);
  try {
    const info = await statOpened(handle);
    if (!info.isFile()) throw new SwitchmasterError('file-unwritable', `${destination} is not a regular file.`);
    const good = info.nlink === 1 ? undefined : await lstat(goodCopyPath(anchoredPath)).catch(() => undefined);
    const isOwn = await hasOwnName(anchoredPath, info, good?.ino === info.ino ? 2 : 1);
    return { handle, info, names: isOwn ? 'own' : 'foreign' };
  } catch (thrown) {
    closeLater(handle);
    throw thrown;
  }
}

/** A file without its content. */
function describe({ info, path }: { readonly info: Stats; readonly path: string }): PresentFile {
  const { uid, gid, mode } = info;
  return { bytes: Buffer.alloc(0), access: 'unreadable', path, mode: mode & 0o7777, uid, gid };
}

/** A file that only others may read, in a folder that the daemon may write: the daemon can still replace it. */
async function describeUnread(destination: string): Promise<PresentFile | undefined> {
  const info = await stat(destination).catch(() => undefined);
  if (info?.isFile() !== true) return undefined;
  return describe({ info, path: await followLinks(destination) });
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
  if (present === undefined || hasOwnership(present, ownership)) return 'unchanged';
  // By its handle: what takes its place meanwhile would be given away.
  const { handle, info, path, names } = await reach(destination, async (place) => ({
    ...(await openAt(place)),
    path: place.path,
  }));
  try {
    if (names === 'foreign') throw refuseNames(path);
    const { uid = info.uid, gid = info.gid, mode = info.mode & 0o7777 } = ownership;
    if (uid !== info.uid || gid !== info.gid) await handle.chown(uid, gid);
    await handle.chmod(mode);
    return 'corrected';
  } finally {
    closeLater(handle);
  }
}

function hasOwnership(present: PresentFile, wanted: WantedOwnership): boolean {
  return (['uid', 'gid', 'mode'] as const).every((key) => (wanted[key] ?? present[key]) === present[key]);
}
