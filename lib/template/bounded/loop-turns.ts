import { setImmediate as nextTurn } from 'node:timers/promises';

let last: Promise<void> = Promise.resolve();

/**
 * Resolves in a turn of the event loop in which nobody else's does: pieces of work that wait for it never follow each other
 * without a turn in which everything else happens. A plain `setImmediate` gives all who wait the same turn.
 */
export function ownTurn(): Promise<void> {
  last = last.then(() => nextTurn());
  return last;
}

/** Visits a list, with turns of the event loop for other work. */
export async function visitInParts<T>(list: readonly T[], visit: (one: T) => void): Promise<void> {
  for (const [i, one] of list.entries()) {
    if (i > 0 && i % visitsAtOnce === 0) await nextTurn();
    visit(one);
  }
}

/** So many lookups take a few milliseconds, also if each starts a watch. */
const visitsAtOnce = 256;

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
