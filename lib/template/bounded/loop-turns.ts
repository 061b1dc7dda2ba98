import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';

let last: Promise<void> = Promise.resolve();
/** When the loop has rested from the last long piece, in milliseconds of `performance.now()`. */
let restedMs = 0;

/**
 * Resolves in a turn of the event loop in which nobody else's does: pieces of work that wait for it never follow each other
 * without a turn in which everything else happens. A plain `setImmediate` gives all who wait the same turn. After a long
 * piece the loop rests for as long: an answer to a request takes several turns.
 */
export function ownTurn(): Promise<void> {
  last = last.then(async () => {
    await nextTurn();
    await untilRested();
  });
  return last;
}

/** Resolves when the loop has rested from the last long piece: at once, if there was none. */
async function untilRested(): Promise<void> {
  for (let restMs = restedMs - performance.now(); restMs > 0; restMs = restedMs - performance.now())
    await delay(restMs);
}

/** A piece of work has ended that began at `startedMs`. */
export function noteTurn(startedMs: number): void {
  const endedMs = performance.now();
  if (endedMs - startedMs > longMs) restedMs = endedMs + (endedMs - startedMs);
}

const longMs = 8;

/** Visits a list, with turns of the event loop for other work. */
export async function visitInParts<T>(list: readonly T[], visit: (one: T) => void): Promise<void> {
  let sinceMs = performance.now();
  for (const [i, one] of list.entries()) {
    if (i > 0 && i % visitsAtOnce === 0 && performance.now() - sinceMs > sliceMs) {
      await nextTurn();
      sinceMs = performance.now();
    }
    visit(one);
  }
}

/** So many lookups take a fraction of a millisecond, or a few milliseconds if each starts a watch. */
const visitsAtOnce = 64;

/** Does work in slices, with a turn of the event loop after some milliseconds. */
export async function inSlices<T>(work: Generator<void, T>): Promise<T> {
  let sinceMs = performance.now();
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value as T;
    if (performance.now() - sinceMs < sliceMs) continue;
    await nextTurn();
    sinceMs = performance.now();
  }
}

const sliceMs = 5;
