import { readFileSync } from 'node:fs';
import { withDeadline } from './deadline.ts';

/*
 * Calls to file systems that may hang, such as a network mount without its server. Node has four threads for all calls to file
 * systems and for the lookups of names: four calls that never return would stop the daemon.
 */

/** How long a file system may take. One that hangs never answers. */
const timeoutMs = 2_000;

/** One thread is always left for the rest of the daemon. */
const mostThreads = 3;

/** Calls that have not returned, also those that nobody waits for any more, by file system. */
const underWay = new Map<string, Promise<unknown>>();
/** File systems with a call that did not return in time. */
const hanging = new Set<string>();

/**
 * Runs a call to the file system of `path`, one at a time for each file system. Throws `ETIMEDOUT` if it does not return
 * within 2 s, or if one before it has not returned yet. The call itself continues, and occupies its thread.
 */
export async function withinDeadline<T>(path: string, call: () => Promise<T>): Promise<T> {
  const place = placeOf(path);
  const untilMs = performance.now() + timeoutMs;
  for (let before = blockerOf(place); before !== undefined; before = blockerOf(place)) {
    if (hanging.has(place)) throw lateError();
    await withDeadline(before, { timeoutMs: untilMs - performance.now(), late: lateError });
  }
  const running = call();
  const settled = running.then(
    () => undefined,
    () => undefined,
  );
  underWay.set(place, settled);
  settled.then(() => {
    underWay.delete(place);
    hanging.delete(place);
  });
  try {
    return await withDeadline(running, { timeoutMs, late: lateError });
  } catch (thrown) {
    if (underWay.has(place)) noteHang(place);
    throw thrown;
  }
}

/** Whether a call has not returned in time, nor since. */
export function isAnyHanging(): boolean {
  return hanging.size > 0;
}

function noteHang(place: string): void {
  if (hanging.size === 0 && !process.listeners('exit').includes(endThreads)) process.on('exit', endThreads);
  hanging.add(place);
}

/** libuv waits for its threads when a process ends. Another program in its place ends them. */
function endThreads(code: number): void {
  if (hanging.size > 0) process.execve?.('/bin/sh', ['sh', '-c', `exit ${code}`], {});
}

/** What has to return before a further call may start; undefined if nothing has. */
function blockerOf(place: string): Promise<unknown> | undefined {
  return underWay.get(place) ?? (underWay.size < mostThreads ? undefined : Promise.race(underWay.values()));
}

function lateError(): Error {
  return Object.assign(new Error(`the file system does not answer within ${timeoutMs} ms`), { code: 'ETIMEDOUT' });
}

/**
 * The mount point of a path, as far as its text says. A path on the root file system stands for itself: it may be a link to
 * another one.
 */
function placeOf(path: string): string {
  let longest = '/';
  for (const mount of mountPoints()) {
    if (mount.length > longest.length && (path === mount || path.startsWith(`${mount}/`))) longest = mount;
  }
  return longest === '/' ? path : longest;
}

/** Mounts change rarely, and to read them takes longer than many a call. */
const mountsKeptMs = 1_000;
let mounts: { readonly points: readonly string[]; readonly readMs: number } | undefined;

function mountPoints(): readonly string[] {
  const nowMs = performance.now();
  if (mounts === undefined || nowMs - mounts.readMs > mountsKeptMs)
    mounts = { points: readMountPoints(), readMs: nowMs };
  return mounts.points;
}

/** The fifth field, in which special characters are octal (proc_pid_mountinfo(5)). */
function readMountPoints(): readonly string[] {
  try {
    const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
    return lines.map((line) =>
      (line.split(' ')[4] ?? '').replace(/\\(\d{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8))),
    );
  } catch {
    return [];
  }
}
