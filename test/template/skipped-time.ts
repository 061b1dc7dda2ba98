import type { Test } from 'tap';

/**
 * Returns a function with which the clock of `performance.now()` skips some milliseconds. It ends with the test. tap's `intercept` would
 * keep each of its calls.
 */
export function makeSkip(t: Test): (ms: number) => void {
  const now = performance.now.bind(performance);
  let skippedMs = 0;
  performance.now = () => now() + skippedMs;
  t.teardown(() => Reflect.deleteProperty(performance, 'now'));
  return (ms) => {
    skippedMs += ms;
  };
}
