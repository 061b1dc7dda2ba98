import { lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { lstat, readlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A file system that is mounted somewhere. */
interface Mount {
  /** Equal for mounts that hang together: those of one device, or of one server. */
  readonly key: string;
  /** `memory`: a read takes no time, so the event loop may do it. */
  readonly kind: 'memory' | 'root' | 'other';
}

/** Runs a call to the file system with this key. */
type Visit = <T>(key: string, call: () => Promise<T>) => Promise<T>;

/** As many links as Linux follows. */
const maxLinks = 40;

/** How long the place of a path is known. Links change rarely. */
const keptMs = 1_000;
/**
 * How old the list of mounts may be when the event loop reads links: one that was mounted since could stop the
 * daemon.
 */
const freshMs = 10;
let known: { readonly text: string; readonly mounts: ReadonlyMap<string, Mount>; readonly readMs: number } | undefined;
/** Places by path. */
const keys = new Map<string, string>();
let keysSinceMs = 0;

/**
 * The key of the file system that a path leads to, through links. The event loop reads links on the root file system and in
 * memory. Links on others are read by `visit`, because they may hang. A path on the root file system or in memory has a key of its
 * own: calls there do not wait for each other.
 */
export async function findPlace(path: string, visit: Visit): Promise<string> {
  const kept = keptKey(path);
  if (kept !== undefined) return kept;
  const mount = await walk(path, visit);
  const key = mount.kind === 'other' ? mount.key : path;
  keys.set(path, key);
  return key;
}

/** Whether the event loop may read about this path, which leads through no link: it is on the root file system or in memory. */
export function isLocal(path: string): boolean {
  return mountOf(path, mountPoints()).kind !== 'other';
}

/** Lets the next look read the list of mounts again: one that was mounted just now may hang. */
export function forgetMounts(): void {
  if (known !== undefined) known = { ...known, readMs: Number.NEGATIVE_INFINITY };
}

/** Whether something is mounted at this path. */
export function isMountPoint(path: string): boolean {
  return mountPoints().has(path);
}

function keptKey(path: string): string | undefined {
  const nowMs = performance.now();
  if (nowMs - keysSinceMs <= keptMs) return keys.get(path);
  keys.clear();
  keysSinceMs = nowMs;
  return undefined;
}

/** The mount that a path leads to. */
async function walk(path: string, visit: Visit): Promise<Mount> {
  const names = split(path);
  let current = '/';
  let mount = mountOf(current, mountPoints());
  let links = 0;
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    const next = join(current, name);
    const mounts = mountPoints();
    const target = mounts.has(next) ? undefined : await linkTarget(next, { mount, visit });
    if (target === undefined || links === maxLinks) {
      current = next;
    } else {
      links += 1;
      if (target.startsWith('/')) current = '/';
      names.unshift(...split(target));
    }
    mount = mountOf(current, mounts);
  }
  return mount;
}

const root: Mount = { key: '/', kind: 'root' };

/** The mount that a path without links is on. */
function mountOf(path: string, mounts: ReadonlyMap<string, Mount>): Mount {
  for (let folder = path; folder !== '/'; folder = dirname(folder)) {
    const mount = mounts.get(folder);
    if (mount !== undefined) return mount;
  }
  return mounts.get('/') ?? root;
}

function split(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

/** Undefined for what is no link, or does not exist. */
async function linkTarget(
  path: string,
  { mount, visit }: { readonly mount: Mount; readonly visit: Visit },
): Promise<string | undefined> {
  if (mount.kind !== 'other') return localTarget(path);
  return visit(mount.key, async () => {
    const isLink = await lstat(path).then(
      (stats) => stats.isSymbolicLink(),
      () => false,
    );
    return isLink ? readlink(path).catch(() => undefined) : undefined;
  });
}

function localTarget(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch {
    return undefined;
  }
}

function mountPoints(): ReadonlyMap<string, Mount> {
  const readMs = performance.now();
  if (known !== undefined && readMs - known.readMs <= freshMs) return known.mounts;
  const text = readMountInfo();
  const mounts = known?.text === text ? known.mounts : parseMounts(text);
  known = { text, mounts, readMs };
  return mounts;
}

function readMountInfo(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return '';
  }
}

/**
 * Mounts by mount point; the last one at a point hides the others. The fields are those of proc_pid_mountinfo(5): the third
 * is the device, the fifth the mount point, and after a dash come the type and the source.
 */
export function parseMounts(text: string): ReadonlyMap<string, Mount> {
  const mounts = new Map<string, Mount>();
  for (const line of text.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const [, , device = '', , point] = before.split(' ');
    const [type = '', source = ''] = after.split(' ');
    if (point === undefined) continue;
    const path = decode(point);
    const kind = path === '/' ? 'root' : type === 'tmpfs' ? 'memory' : 'other';
    mounts.set(path, { key: serverOf(decode(source), type) ?? device, kind });
  }
  return mounts;
}

/** Network file systems name their server: `host:/export`, `//host/share`. With the server, all of its mounts hang. */
function serverOf(source: string, type: string): string | undefined {
  const host = /^(?:\/\/([^/]+)\/|([^/]+):)/.exec(source);
  return host === null ? undefined : `${type} ${host[1] ?? host[2]}`;
}

/** Spaces and the like are octal. */
function decode(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
