import { constants, lstatSync, readlinkSync, type Stats } from 'node:fs';
import { lstat, open, readlink, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SwitchmasterError } from './errors.ts';
import { forgetMounts, isLocal } from './mounts.ts';

/*
 * A user who may write to a folder can put a link into it, and a daemon of root would write to the target of that link. So
 * the owner of a link decides whether it is followed, as systemd-tmpfiles does for its paths.
 *
 * These functions run within one call of file-system.ts, which has one thread: they make one system call after the other. The event
 * loop itself reads what is on the root file system or in memory, as in mounts.ts: through a thread, each look takes a turn
 * of the loop.
 */

/**
 * The file behind a symbolic link, which is used in place of the link. The target of a dangling link need not exist yet, for
 * example below /run after a boot.
 *
 * Follows `path` only if root or the daemon's user owns the link and its folder. A folder on the way to it may be a link of
 * somebody else that leads to a folder of the same owner.
 *
 * @throws `file-unwritable` for a link of somebody else, and for a circle
 */
export async function followLinks(path: string): Promise<string> {
  const walk = await walkPath(path);
  if (walk.foreignOwners.length > 0) await requireOwners(path, walk);
  return walk.end === 'link' || walk.foreignOwners.length > 0 ? walk.path : path;
}

/**
 * Runs a call with the path of a file whose folder others may replace at any time, as the owner of a folder above it may. The
 * folder is opened first, and the path of the call leads through it (`/proc/self/fd`): a link in the folder's place is not followed.
 * Where only root and the daemon's user can replace the folder, the path stays.
 *
 * @throws `file-unwritable` for a folder that somebody else replaced by a link
 */
export async function anchored<T>(path: string, call: (path: string) => Promise<T>): Promise<T> {
  const folder = dirname(path);
  const walk = await walkFolder(folder);
  if (walk === 'lasting') return call(path);
  const handle = await open(walk.path, openPath | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    const place = `/proc/self/fd/${handle.fd}`;
    const real = await readlink(place).catch(() => undefined);
    const { uid } = await handle.stat();
    // Without /proc, nothing better is possible.
    if (real === undefined) return await call(path);
    if (real !== walk.path || walk.foreignOwners.some((owner) => owner !== uid))
      throw refusal(path, `is in a folder that somebody else replaced by a link, which leads to ${real}`);
    return await call(join(place, basename(path)));
  } finally {
    await handle.close();
  }
}

/** O_PATH (open(2)), which Node does not name: it needs no right to list the folder. */
const openPath = 0o10000000;

/** Folders that only root and the daemon's user can replace. Only they can change that. */
const lasting = new Set<string>();
const keptMs = 1_000;
let lastingSinceMs = 0;

async function walkFolder(folder: string): Promise<Walk | 'lasting'> {
  const nowMs = performance.now();
  if (nowMs - lastingSinceMs > keptMs) {
    lasting.clear();
    lastingSinceMs = nowMs;
  }
  if (lasting.has(folder)) return 'lasting';
  const walk = await walkPath(folder, 'folder');
  if (walk.isReplaceable || walk.foreignOwners.length > 0) return walk;
  lasting.add(folder);
  return 'lasting';
}

/**
 * The file that a path leads to, and whether a file of this user may be read for it: a link of somebody else leads only to files
 * of the same user. Otherwise whoever may write to a folder of templates could have any file of root printed.
 */
export async function followForReading(
  path: string,
): Promise<{ readonly target: string; readonly refuse: (stats: Stats, real: string) => string | undefined }> {
  const { path: target, foreignOwners } = await walkPath(path, 'folder');
  const refuse = ({ uid }: Stats, real: string): string | undefined => {
    if (real !== target) return 'somebody replaced its folder meanwhile';
    const owner = foreignOwners.find((one) => one !== uid);
    if (owner === undefined) return undefined;
    return `it leads to a file of another user, ${target}, through ${aLink(owner)}; name ${linkHint}`;
  };
  return { target, refuse };
}

/** Whether only root and the daemon's user can have made this. */
export function isTrustedOwner(uid: number): boolean {
  return uid === 0 || uid === process.geteuid?.();
}

interface Walk {
  /** The path without links, as far as it exists. */
  readonly path: string;
  /** The owners of links of somebody else that were followed. */
  readonly foreignOwners: readonly number[];
  /** Whether somebody else can replace a part of the path. */
  readonly isReplaceable: boolean;
  /** Whether the last part of the path is a link itself. */
  readonly end: 'link' | 'other';
}

/** As many as Linux follows. */
const maxLinks = 40;

/** `file`: a link of somebody else as the last part of the path is refused. */
async function walkPath(path: string, kind: 'file' | 'folder' = 'file'): Promise<Walk> {
  const names = path.split('/').filter((name) => name !== '');
  const foreignOwners: number[] = [];
  let isReplaceable = false;
  let end: Walk['end'] = 'other';
  forgetMounts();
  const root = await look('/');
  let current = '/';
  let folder = root;
  let links = 0;
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    const next = join(current, name);
    const info = await look(next);
    isReplaceable ||= canOthersReplace(info, folder);
    if (!info?.isSymbolicLink()) {
      current = next;
      folder = info;
      continue;
    }
    if (names.length === 0) end = 'link';
    links += 1;
    if (links > maxLinks) throw refusal(path, 'cannot be followed to where it links: it leads to itself');
    const foreignOwner = [info.uid, folder?.uid ?? 0].find((owner) => !isTrustedOwner(owner));
    const target = await readTarget(next);
    if (foreignOwner !== undefined && names.length === 0 && kind === 'file')
      throw refusal(next, describeLink(foreignOwner, target));
    if (foreignOwner !== undefined) foreignOwners.push(foreignOwner);
    if (target.startsWith('/')) {
      current = '/';
      folder = root;
    }
    names.unshift(...target.split('/').filter((part) => part !== '' && part !== '.'));
  }
  return { path: current, foreignOwners, isReplaceable, end };
}

/** undefined for what cannot be seen. */
async function look(path: string): Promise<Stats | undefined> {
  try {
    return isLocal(path) ? lstatSync(path) : await lstat(path).finally(forgetMounts);
  } catch {
    return undefined;
  }
}

async function readTarget(link: string): Promise<string> {
  return isLocal(link) ? readlinkSync(link) : readlink(link).finally(forgetMounts);
}

const stickyBit = 0o1000;
const writableByOthers = 0o022;

/** In a sticky folder, only the owners of a file and of the folder may rename the file. */
function canOthersReplace(info: Stats | undefined, folder: Stats | undefined): boolean {
  if (folder === undefined || !isTrustedOwner(folder.uid)) return true;
  if ((folder.mode & writableByOthers) === 0) return false;
  return (folder.mode & stickyBit) === 0 || info === undefined || !isTrustedOwner(info.uid);
}

/**
 * Whether a file is what its path says, and not another one under a second name (a hard link), which whoever may write to the
 * folder can make. `ownNames`: how many names the daemon gave it.
 */
export async function hasOwnName(path: string, { nlink, uid }: Stats, ownNames = 1): Promise<boolean> {
  if (nlink <= ownNames) return true;
  const folder = await stat(dirname(path));
  if ((folder.mode & writableByOthers) !== 0) return false;
  return folder.uid === uid || isTrustedOwner(folder.uid);
}

/**
 * Whether only root and the daemon's user can give files names in a folder. Its path leads through no link, and the event loop may read
 * about it.
 */
export function isOwnFolder(folder: string): boolean {
  try {
    return !canOthersWrite(lstatSync(folder));
  } catch {
    return false;
  }
}

/** Whether others than root and the daemon's user may write to a file, or into a folder. */
export function canOthersWrite({ uid, mode }: Pick<Stats, 'uid' | 'mode'>): boolean {
  return !isTrustedOwner(uid) || (mode & writableByOthers) !== 0;
}

/** Throws `file-unwritable` for a file without its own name. `file`: its path within {@link anchored}. */
export async function requireOwnName(path: string, { file, info }: { file: string; info: Stats }): Promise<void> {
  if (!(await hasOwnName(file, info))) throw refuseNames(path);
}

/** For a file without its own name. */
export function refuseNames(path: string): SwitchmasterError {
  const reason = 'has further names (hard links), which whoever may write to its folder can have made';
  const hint =
    'Remove the file, or give its folder to root or to the user of the daemon, and let nobody else write to it.';
  return new SwitchmasterError('file-unwritable', `${path} ${reason}. ${hint}`, { details: { path } });
}

/** A link of another user may lead only to folders of the same user. */
async function requireOwners(path: string, { path: target, foreignOwners }: Walk): Promise<void> {
  const info = await lstat(dirname(target)).catch(() => undefined);
  const foreignOwner = foreignOwners.find((owner) => owner !== info?.uid);
  if (foreignOwner !== undefined) throw refusal(path, `leads to ${target} through ${aLink(foreignOwner)}`);
}

function describeLink(uid: number, target: string): string {
  return `leads to ${target}, and is ${aLink(uid)}, who could lead the daemon to any file`;
}

function aLink(uid: number): string {
  return `a link that belongs to user ${uid}, or lies in a folder of this user`;
}

const linkHint = 'the file itself, or give the link and its folder to root or to the user of the daemon';

function refusal(path: string, reason: string): SwitchmasterError {
  return new SwitchmasterError('file-unwritable', `${path} ${reason}. Name ${linkHint}.`, { details: { path } });
}
