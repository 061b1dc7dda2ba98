import { lstat, readlink, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SwitchmasterError } from './errors.ts';

/*
 * Whoever may write to a folder can put a link into it, and a daemon of root would write to wherever it leads. So the owner
 * of a link decides whether it is followed, as systemd-tmpfiles does for its paths.
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
  const folder = dirname(path);
  const [real, info] = await Promise.all([realpath(folder).catch(() => undefined), lstat(path).catch(() => undefined)]);
  const isLink = info?.isSymbolicLink() === true;
  if (real === folder && !isLink) return path;
  const walk = await walkPath(path);
  if (walk.foreignOwners.length > 0) await requireOwners(path, walk);
  return isLink || walk.foreignOwners.length > 0 ? walk.path : path;
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
}

/** As many as Linux follows. */
const maxLinks = 40;

async function walkPath(path: string): Promise<Walk> {
  const names = path.split('/').filter((name) => name !== '');
  const foreignOwners: number[] = [];
  let current = '/';
  let links = 0;
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    const next = join(current, name);
    const info = await lstat(next).catch(() => undefined);
    if (!info?.isSymbolicLink()) {
      current = next;
      continue;
    }
    links += 1;
    if (links > maxLinks) throw refusal(path, 'cannot be followed to where it links: it leads to itself');
    const { uid } = await lstat(current);
    const foreignOwner = [info.uid, uid].find((owner) => !isTrustedOwner(owner));
    if (foreignOwner !== undefined && names.length === 0) throw refusal(next, describeLink(foreignOwner));
    if (foreignOwner !== undefined) foreignOwners.push(foreignOwner);
    const target = await readlink(next);
    if (target.startsWith('/')) current = '/';
    names.unshift(...target.split('/').filter((part) => part !== '' && part !== '.'));
  }
  return { path: current, foreignOwners };
}

/** A link of another user may lead only to folders of the same user. */
async function requireOwners(path: string, { path: target, foreignOwners }: Walk): Promise<void> {
  const info = await lstat(dirname(target)).catch(() => undefined);
  const foreignOwner = foreignOwners.find((owner) => owner !== info?.uid);
  if (foreignOwner !== undefined) throw refusal(path, `leads to ${target} through ${aLink(foreignOwner)}`);
}

function describeLink(uid: number): string {
  return `is ${aLink(uid)}, who could make the daemon write to any file`;
}

function aLink(uid: number): string {
  return `a link that belongs to user ${uid}, or lies in a folder of this user`;
}

function refusal(path: string, reason: string): SwitchmasterError {
  const hint = 'Name the file itself, or give the link and its folder to root or to the user of the daemon.';
  return new SwitchmasterError('file-unwritable', `${path} ${reason}. ${hint}`, { details: { path } });
}
