import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, lstat, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isAbort, SwitchmasterError } from '../../errors.ts';
import { followLinks } from '../../links.ts';
import { newFileMode } from '../../model/template-spec.ts';
import { processState } from './process-file.ts';
import { unwritable } from './unwritable.ts';

/*
 * A file is replaced in steps: a candidate is written beside the destination, the caller checks it, and only then a rename
 * puts it in place. Libraries such as `write-file-atomic` write and rename in one call, without room for the check.
 */

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

/** A new file beside its destination, not yet in its place. */
export interface Candidate {
  /** Its path in the destination's folder. */
  readonly path: string;
  /** The path that it will get: the destination, or the file that it links to. */
  readonly destination: string;
  /** A sentence about the owner or mode that the system refuses to give it. */
  readonly refused: string | undefined;
}

/** Without O_NONBLOCK, opening a pipe waits for a writer. */
const readFlags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

const marker = '.switchmaster-';
/** No output is as large. */
const maxPresentBytes = 64 * 1024 * 1024;
/** Candidates that this process checks right now. */
const inUse = new Set<string>();

/** Reads the destination; undefined when it does not exist. Throws `file-unwritable` when it is not a regular file. */
export async function readDestination(destination: string): Promise<PresentFile | undefined> {
  try {
    const path = await followLinks(destination);
    const handle = await open(path, readFlags);
    try {
      const info = await handle.stat();
      if (!info.isFile()) throw new SwitchmasterError('file-unwritable', `${destination} is not a regular file.`);
      if (info.size > maxPresentBytes) throw new Error(`it is larger than ${maxPresentBytes} bytes`);
      const bytes = await handle.readFile();
      return { bytes, access: 'readable', path, mode: info.mode & 0o7777, uid: info.uid, gid: info.gid };
    } finally {
      close(handle);
    }
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    const unread = code === 'EACCES' ? await describeUnread(destination) : undefined;
    if (unread !== undefined) return unread;
    throw unwritable(destination, 'be read', thrown);
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

/** Writes a candidate to the disk, with the permissions that the destination will get. Leaves no file when it fails. */
export async function writeCandidate(input: {
  readonly destination: string;
  readonly bytes: Buffer;
  readonly ownership: WantedOwnership;
  readonly present: PresentFile | undefined;
  readonly signal: AbortSignal;
  /** Default: the destination's folder, so that a rename can put the candidate in place. */
  readonly folder?: string;
}): Promise<Candidate> {
  input.signal.throwIfAborted();
  const { present } = input;
  const destination = present?.path ?? (await followLinks(input.destination));
  const path = candidatePath(destination, input.folder);
  inUse.add(path);
  try {
    const handle = await open(path, 'wx', 0o600);
    try {
      await handle.writeFile(input.bytes, { signal: input.signal });
      const refused = await giveOwnership(handle, { ...input, destination });
      await sync(handle);
      return { path, destination, refused };
    } finally {
      close(handle);
    }
  } catch (thrown) {
    await discardCandidate({ path });
    if (isAbort(thrown)) throw thrown;
    const named = destination === input.destination ? destination : `${input.destination} (a link to ${destination})`;
    throw unwritable(named, 'be written', thrown);
  }
}

/** A name beside the destination that {@link removeStaleCandidates} knows. */
export function candidatePath(destination: string, folder = dirname(destination)): string {
  return join(folder, `.${basename(destination)}${marker}${process.pid}-${randomBytes(4).toString('hex')}`);
}

/** Some network and user-space file systems have no fsync. */
function sync(handle: FileHandle): Promise<void> {
  return handle.sync().catch((thrown) => {
    if (!/^(EINVAL|ENOSYS|ENOTSUP|EOPNOTSUPP)$/.test(thrown.code)) throw thrown;
  });
}

/**
 * Gives a candidate its owner and mode. A daemon without root may not give files away: then the file has the owner that is
 * possible, because an old file would send clients to the former master. Returns what the system refused.
 */
async function giveOwnership(
  handle: FileHandle,
  input: { destination: string; ownership: WantedOwnership; present: PresentFile | undefined },
): Promise<string | undefined> {
  const { destination, ownership, present } = input;
  const uid = ownership.uid ?? present?.uid;
  const gid = ownership.gid ?? present?.gid;
  const mode = ownership.mode ?? present?.mode ?? newFileMode;
  const group = () => (gid === undefined ? undefined : handle.chown(-1, gid));
  const refuse = () => 'refused' as const;
  const owned = await handle.chown(uid ?? -1, gid ?? -1).catch(async () => {
    await group()?.catch(refuse);
    return refuse();
  });
  // After chown, which clears set-id bits. They must not be those of another owner.
  const moded = await handle.chmod(owned === 'refused' ? mode & 0o777 : mode).catch(refuse);
  if (owned !== 'refused' && moded !== 'refused') return undefined;
  const info = await handle.stat();
  const has = `It has ${info.uid}:${info.gid} and mode ${(info.mode & 0o7777).toString(8)}`;
  const wanted = `${uid ?? info.uid}:${gid ?? info.gid} and mode ${mode.toString(8)}`;
  return `${destination} cannot have the owner ${wanted}. ${has}. Run the daemon as root, or give the file to its user.`;
}

/** The bytes are on the disk or read already. */
function close(handle: FileHandle): void {
  void handle.close().catch(() => undefined);
}

/** Renames the candidate to its destination. A crash at any time leaves either the old file or the new one. */
export async function swapIn(candidate: Candidate): Promise<void> {
  try {
    await rename(candidate.path, candidate.destination);
    inUse.delete(candidate.path);
  } catch (thrown) {
    await discardCandidate(candidate);
    throw unwritable(candidate.destination, 'be replaced', thrown);
  }
}

/** Gives the candidate its destination's name unless a file of that name has appeared meanwhile. */
export async function placeNew(candidate: Candidate): Promise<void> {
  try {
    await link(candidate.path, candidate.destination).catch(async (thrown: NodeJS.ErrnoException) => {
      if (thrown.code === 'EEXIST' || (await lstat(candidate.destination).catch(() => undefined)) !== undefined)
        throw thrown;
      // A file system without hard links.
      await rename(candidate.path, candidate.destination);
    });
  } catch (thrown) {
    throw unwritable(candidate.destination, 'be created', thrown);
  } finally {
    await discardCandidate(candidate);
  }
}

/** Flushes the folder. After this, no crash brings the old file back. */
export async function fixSwap({ destination }: Candidate): Promise<void> {
  try {
    const folder = await open(dirname(destination), 'r');
    await folder.sync().finally(() => folder.close());
  } catch (thrown) {
    throw unwritable(destination, 'be kept on its disk', thrown);
  }
}

export async function discardCandidate(candidate: Pick<Candidate, 'path'>): Promise<void> {
  inUse.delete(candidate.path);
  await unlink(candidate.path).catch(() => undefined);
}

/** Sets the configured permissions where they differ. */
export async function correctOwnership(
  destination: string,
  ownership: WantedOwnership,
): Promise<'corrected' | 'unchanged'> {
  const present = await readDestination(destination);
  if (present === undefined) return 'unchanged';
  const owned = (ownership.uid ?? present.uid) === present.uid && (ownership.gid ?? present.gid) === present.gid;
  if (owned && (ownership.mode ?? present.mode) === present.mode) return 'unchanged';
  try {
    // By its handle: a link that takes its place meanwhile would give another file away.
    const handle = await open(present.path, readFlags);
    try {
      if (!owned) await handle.chown(ownership.uid ?? present.uid, ownership.gid ?? present.gid);
      await handle.chmod(ownership.mode ?? present.mode);
    } finally {
      close(handle);
    }
    return 'corrected';
  } catch (thrown) {
    throw unwritable(destination, 'be given its owner and mode', thrown);
  }
}

/** Removes candidates beside `destination` that were left by a process that no longer runs. */
export async function removeStaleCandidates(destination: string): Promise<readonly string[]> {
  const target = await followLinks(destination);
  const folder = dirname(target);
  const prefix = `.${basename(target)}${marker}`;
  const names = await readdir(folder).catch(() => [] as string[]);
  const removed: string[] = [];
  for (const name of names) {
    const match = name.startsWith(prefix) ? /^(\d+)-[0-9a-f]{8}$/.exec(name.slice(prefix.length)) : null;
    const path = join(folder, name);
    if (match === null || inUse.has(path) || (await isAnothersCandidate(path, Number(match[1])))) continue;
    await unlink(path).catch(() => undefined);
    removed.push(path);
  }
  return removed;
}

/** Whether the process that wrote it still runs. After a restart of the machine, others have the ids. */
async function isAnothersCandidate(path: string, pid: number): Promise<boolean> {
  if (pid === process.pid) return false;
  const info = await lstat(path).catch(() => undefined);
  return info !== undefined && (await processState(pid, info.mtimeMs)) === 'running';
}
