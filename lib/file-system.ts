import { withDeadline } from './deadline.ts';
import { findPlace } from './mounts.ts';

/*
 * Calls to file systems that may hang, such as a network mount without its server. Node has four threads for all calls to file
 * systems and for the lookups of names: four calls that never return would stop the daemon.
 *
 * A call must not contain another one: it would wait for a thread while it holds one.
 */

/** How long a file system may take. One that hangs never answers. */
const defaultTimeoutMs = 2_000;

/** Writes go to the disk, which may be busy. */
export const writeTimeoutMs = 5_000;

/** One thread is always left for the rest of the daemon. */
const mostThreads = 3;

/** How old a call must be for the end of the process not to wait for it. */
const slowMs = 100;

interface UnderWay {
  readonly startedMs: number;
  state: 'in-time' | 'late';
}

interface Waiter {
  readonly start: (own: UnderWay) => void;
  readonly fail: (error: Error) => void;
}

/** Calls that have not returned, also those that nobody waits for any more, by file system: one for each. */
const underWay = new Map<string, UnderWay>();
/** Calls that have not begun, by file system. */
const waiting = new Map<string, Waiter[]>();

interface Deadline {
  /** Default 2 s. */
  readonly timeoutMs?: number;
}

/**
 * Runs a call to the file system that `path` leads to, one at a time for each file system. Throws `ETIMEDOUT` if it does not
 * return within `timeoutMs`, or if one before it is late. The call itself continues, and occupies its thread.
 */
export async function withinDeadline<T>(path: string, call: () => Promise<T>, deadline: Deadline = {}): Promise<T> {
  const place = await findPlace(path, runAt);
  return runAt(place, call, deadline);
}

async function runAt<T>(
  place: string,
  call: () => Promise<T>,
  { timeoutMs = defaultTimeoutMs }: Deadline = {},
): Promise<T> {
  const own = await enter(place);
  const running = (async () => call())().finally(() => leave(place));
  const late = () => {
    if (underWay.get(place) === own) noteLate(own);
    return lateError(timeoutMs);
  };
  return withDeadline(running, { timeoutMs, late });
}

/** Whether a call has not returned in time, nor since. */
export function isAnyHanging(): boolean {
  return [...underWay.values()].some(({ state }) => state === 'late');
}

/** Waits until a call to this file system may begin. Throws if one is late, or if late calls occupy the threads. */
async function enter(place: string): Promise<UnderWay> {
  if (isClosed(place)) throw lateError();
  if (isFree(place)) return occupy(place);
  const { promise, resolve, reject } = Promise.withResolvers<UnderWay>();
  const queue = waiting.get(place) ?? [];
  waiting.set(place, queue);
  queue.push({ start: resolve, fail: reject });
  return promise;
}

function leave(place: string): void {
  underWay.delete(place);
  for (const [next, queue] of [...waiting]) {
    if (!isFree(next)) continue;
    const first = queue.shift();
    // Moves the place to the end of the order, so that the next call is for another place.
    waiting.delete(next);
    if (queue.length > 0) waiting.set(next, queue);
    first?.start(occupy(next));
  }
}

function occupy(place: string): UnderWay {
  if (!process.listeners('exit').includes(endThreads)) process.on('exit', endThreads);
  const own: UnderWay = { startedMs: performance.now(), state: 'in-time' };
  underWay.set(place, own);
  return own;
}

function noteLate(own: UnderWay): void {
  own.state = 'late';
  for (const [next, queue] of [...waiting]) {
    if (!isClosed(next)) continue;
    waiting.delete(next);
    for (const { fail } of queue) fail(lateError());
  }
}

function isFree(place: string): boolean {
  return !underWay.has(place) && underWay.size < mostThreads;
}

/** Whether a call would wait for one that may never return. */
function isClosed(place: string): boolean {
  const late = [...underWay.values()].filter(({ state }) => state === 'late');
  return underWay.get(place)?.state === 'late' || late.length === mostThreads;
}

/** libuv waits for its threads when a process ends. Another program in its place ends them. */
function endThreads(code: number): void {
  const nowMs = performance.now();
  if (![...underWay.values()].some(({ startedMs }) => nowMs - startedMs > slowMs)) return;
  process.execve?.('/bin/sh', ['sh', '-c', `exit ${code}`], {});
}

function lateError(timeoutMs = defaultTimeoutMs): Error {
  return Object.assign(new Error(`the file system does not answer within ${timeoutMs} ms`), { code: 'ETIMEDOUT' });
}
