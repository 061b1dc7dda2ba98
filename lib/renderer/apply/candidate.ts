import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, lstat, open, readdir, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isAbort } from '../../errors.ts';
import { withinDeadline, writeTimeoutMs } from '../../file-system.ts';
import { anchored, followLinks } from '../../links.ts';
import { giveOwnership, openNew, wantedFor } from './candidate-owner.ts';
import { closeLater, type PresentFile, type WantedOwnership } from './file.ts';
import { processState } from './process-file.ts';
import { unwritable } from './unwritable.ts';

/*
 * A file is replaced in steps: a candidate is written beside the destination, the caller checks it, and only then a rename
 * puts it in place. Libraries such as `write-file-atomic` write and rename in one call, without room for the check.
 */

/** A new file beside its destination, not yet in its place. */
export interface Candidate {
  /** Its path in the destination's folder. */
  readonly path: string;
  /** The path that it will get: the destination, or the file that it links to. */
  readonly destination: string;
  /** A sentence about the owner or mode that the system refuses to give it. */
  readonly refused: string | undefined;
}

const marker = '.switchmaster-';
/** Candidates that this process checks right now. */
const inUse = new Set<string>();

export interface CandidateInput {
  readonly destination: string;
  readonly bytes: Buffer;
  readonly ownership: WantedOwnership;
  readonly present: PresentFile | undefined;
  readonly signal: AbortSignal;
  /** Default: the destination's folder, so that a rename can put the candidate in place. */
  readonly folder?: string;
  /** Called when the disk begins to flush the file: until it has, the event loop has time. Must not throw. */
  readonly onFlush?: () => void;
}

/** Writes a candidate to the disk, with the permissions that the destination will get. Leaves no file when it fails. */
export async function writeCandidate(input: CandidateInput): Promise<Candidate> {
  input.signal.throwIfAborted();
  const destination = input.present?.path ?? (await findTarget(input.destination));
  const path = candidatePath(destination, input.folder);
  let writing: Promise<Candidate> | undefined;
  try {
    const write = () => (writing = createCandidate(path, { ...input, destination }));
    return await withinDeadline(placeOf(path), write, { timeoutMs: writeTimeoutMs });
  } catch (thrown) {
    // It may still be written later.
    void writing?.then(discardCandidate, () => undefined);
    if (isAbort(thrown)) throw thrown;
    const named = destination === input.destination ? destination : `${input.destination} (a link to ${destination})`;
    throw unwritable(named, 'be written', thrown);
  }
}

/** The destination, or the file that it links to. */
async function findTarget(destination: string): Promise<string> {
  try {
    return await withinDeadline(destination, () => followLinks(destination));
  } catch (thrown) {
    throw unwritable(destination, 'be written', thrown);
  }
}

async function createCandidate(path: string, input: CandidateInput): Promise<Candidate> {
  const { destination } = input;
  inUse.add(path);
  try {
    const wanted = wantedFor(input);
    const { handle, info } = await anchored(path, (anchoredPath) => openNew(anchoredPath, wanted));
    try {
      await handle.writeFile(input.bytes, { signal: input.signal });
      const refused = await giveOwnership(handle, { destination, wanted, info });
      const flushed = sync(handle);
      input.onFlush?.();
      await flushed;
      return { path, destination, refused };
    } finally {
      closeLater(handle);
    }
  } catch (thrown) {
    await removeCandidate(path);
    throw thrown;
  }
}

/** A name beside the destination that {@link removeStaleCandidates} knows. */
export function candidatePath(destination: string, folder = dirname(destination)): string {
  return join(folder, `.${basename(destination)}${marker}${process.pid}-${randomBytes(4).toString('hex')}`);
}

/** Equal for all candidates of a destination: attempts on a disk that hangs occupy one thread, and not one each. */
function placeOf(path: string): string {
  return path.slice(0, path.lastIndexOf('-'));
}

/** Some network and user-space file systems have no fsync. */
function sync(handle: FileHandle): Promise<void> {
  return handle.sync().catch((thrown) => {
    if (!/^(EINVAL|ENOSYS|ENOTSUP|EOPNOTSUPP)$/.test(thrown.code)) throw thrown;
  });
}

/** Renames the candidate to its destination. A crash at any time leaves either the old file or the new one. */
export async function swapIn(candidate: Candidate): Promise<void> {
  try {
    await withinDeadline(candidate.destination, async () => {
      await moveTo(candidate);
      inUse.delete(candidate.path);
    });
  } catch (thrown) {
    await discardCandidate(candidate);
    throw unwritable(candidate.destination, 'be replaced', thrown);
  }
}

function moveTo({ path, destination }: Candidate): Promise<void> {
  if (dirname(path) !== dirname(destination))
    return anchored(destination, (anchoredPath) => rename(path, anchoredPath));
  return anchored(path, (anchoredPath) => rename(anchoredPath, join(dirname(anchoredPath), basename(destination))));
}

/** Gives the candidate its destination's name unless a file of that name has appeared meanwhile. */
export async function placeNew(candidate: Candidate): Promise<void> {
  try {
    await withinDeadline(candidate.destination, () => linkNew(candidate));
  } catch (thrown) {
    throw unwritable(candidate.destination, 'be created', thrown);
  } finally {
    await discardCandidate(candidate);
  }
}

function linkNew(candidate: Candidate): Promise<void> {
  return anchored(candidate.path, (path) =>
    linkOrRename({ path, destination: join(dirname(path), basename(candidate.destination)) }),
  );
}

async function linkOrRename({ path, destination }: Pick<Candidate, 'path' | 'destination'>): Promise<void> {
  await link(path, destination).catch(async (thrown: NodeJS.ErrnoException) => {
    if (thrown.code === 'EEXIST' || (await lstat(destination).catch(() => undefined)) !== undefined) throw thrown;
    // A file system without hard links.
    await rename(path, destination);
  });
}

/** Flushes the folder. After this, no crash brings the old file back. */
export async function fixSwap({ destination }: Candidate): Promise<void> {
  const folder = dirname(destination);
  const flush = async () => {
    // O_DIRECTORY: to open a pipe in the folder's place would wait for a writer.
    const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
    await handle.sync().finally(() => handle.close());
  };
  try {
    // Under a key of its own, so that the next read of the file does not wait for it.
    await withinDeadline(folder, flush, { timeoutMs: writeTimeoutMs });
  } catch (thrown) {
    throw unwritable(destination, 'be kept on its disk', thrown);
  }
}

export async function discardCandidate({ path }: Pick<Candidate, 'path'>): Promise<void> {
  inUse.delete(path);
  await withinDeadline(placeOf(path), () => removeCandidate(path)).catch(() => undefined);
}

async function removeCandidate(path: string): Promise<void> {
  inUse.delete(path);
  await anchored(path, unlink).catch(() => undefined);
}

/** Removes candidates beside `destination` that were left by a process that no longer runs. */
export async function removeStaleCandidates(destination: string): Promise<readonly string[]> {
  const target = await findTarget(destination);
  const folder = dirname(target);
  const prefix = `.${basename(target)}${marker}`;
  const names = await withinDeadline(folder, () => readdir(folder)).catch(() => [] as string[]);
  const removed: string[] = [];
  for (const name of names) {
    const match = name.startsWith(prefix) ? /^(\d+)-[0-9a-f]{8}$/.exec(name.slice(prefix.length)) : null;
    const path = join(folder, name);
    if (match === null || inUse.has(path) || (await isAnothersCandidate(path, Number(match[1])))) continue;
    await withinDeadline(path, () => anchored(path, unlink)).catch(() => undefined);
    removed.push(path);
  }
  return removed;
}

/** Whether the process that wrote it still runs. After a restart of the machine, others have the ids. */
async function isAnothersCandidate(path: string, pid: number): Promise<boolean> {
  if (pid === process.pid) return false;
  const info = await withinDeadline(path, () => lstat(path)).catch(() => undefined);
  return info !== undefined && (await processState(pid, info.mtimeMs)) === 'running';
}
