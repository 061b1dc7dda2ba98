import { withDeadline } from './deadline.ts';
import { findPlace } from './mounts.ts';

/*
 * Calls to file systems that may hang, such as a network mount without its server. Node has four threads for all calls to file
 * systems and for the lookups of names: four calls that never return would stop the daemon.
 *
 * A call must not contain another one: it would wait for a thread while it holds one. Within a call, one system call follows
 * the other: two at the same time would take two threads.
 */

/** How long a file system may take. One that hangs never answers. */
const defaultTimeoutMs = 2_000;

/** Writes go to the disk, which may be busy. */
export const writeTimeoutMs = 5_000;

/** One thread is always left for the rest of the daemon. */
const mostThreads = 3;

/** How old a call must be for the end of the process not to wait for it. */
const slowMs = 100;

/** How long a file system that has answered may have two calls at a time: one that hangs must not occupy two threads. */
const answeringMs = 2_000;

interface UnderWay {
  readonly place: string;
  readonly startedMs: number;
  state: 'in-time' | 'late';
}

interface Waiter {
  readonly start: (own: UnderWay) => void;
  readonly fail: (error: Error) => void;
}

/** Calls that have not returned, also those that nobody waits for any more. */
const underWay = new Set<UnderWay>();
/** When a file system has answered last. */
const answeredMs = new Map<string, number>();
/** Calls that have not begun, by file system. */
const waiting = new Map<string, Waiter[]>();

interface Deadline {
  /** Default 2 s. */
  readonly timeoutMs?: number;
}

/**
 * Runs a call to the file system that `path` leads to: one at a time for each file system, or two if it answers. Throws
 * `ETIMEDOUT` if it does not return within `timeoutMs`, or if one before it is late. The call itself continues, and occupies
 * its thread.
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
  const running = (async () => call())().finally(() => leave(own));
  const late = () => {
    if (underWay.has(own)) noteLate(own);
    return lateError(timeoutMs);
  };
  return withDeadline(running, { timeoutMs, late });
}

/** Whether a call has not returned in time, nor since. */
export function isAnyHanging(): boolean {
  return [...underWay].some(({ state }) => state === 'late');
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

function leave(own: UnderWay): void {
  underWay.delete(own);
  noteAnswer(own.place);
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
  const own: UnderWay = { place, startedMs: performance.now(), state: 'in-time' };
  underWay.add(own);
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

function noteAnswer(place: string): void {
  const nowMs = performance.now();
  for (const [other, ms] of answeredMs) if (nowMs - ms > answeringMs) answeredMs.delete(other);
  answeredMs.set(place, nowMs);
}

function isFree(place: string): boolean {
  if (underWay.size >= mostThreads) return false;
  const own = callsAt(place);
  if (own.length === 0) return true;
  const sinceMs = performance.now() - (answeredMs.get(place) ?? Number.NEGATIVE_INFINITY);
  // The third thread is for other file systems.
  return own.length === 1 && underWay.size === 1 && sinceMs <= answeringMs;
}

function callsAt(place: string): readonly UnderWay[] {
  return [...underWay].filter((one) => one.place === place);
}

/** Whether a call would wait for one that may never return. */
function isClosed(place: string): boolean {
  const late = [...underWay].filter(({ state }) => state === 'late');
  return late.some((one) => one.place === place) || late.length === mostThreads;
}

/** libuv waits for its threads when a process ends. Another program in its place ends them. */
function endThreads(code: number): void {
  const nowMs = performance.now();
  if (![...underWay].some(({ startedMs }) => nowMs - startedMs > slowMs)) return;
  process.execve?.('/bin/sh', ['sh', '-c', `exit ${code}`], {});
}

function lateError(timeoutMs = defaultTimeoutMs): Error {
  return Object.assign(new Error(`the file system does not answer within ${timeoutMs} ms`), { code: 'ETIMEDOUT' });
}
