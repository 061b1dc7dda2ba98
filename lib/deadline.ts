/** A deadline is counted in this many steps. */
const steps = 10;

/**
 * Settles as `promise` does, or rejects with `late()` after `timeoutMs`. Time in which this process did not run (a virtual
 * machine that is moved, a stopped process, a busy event loop) counts as one step at most: an answer that came meanwhile is
 * read first.
 */
export async function withDeadline<T>(
  promise: Promise<T>,
  { timeoutMs, late }: { readonly timeoutMs: number; readonly late: () => Error },
): Promise<T> {
  const { promise: expired, reject } = Promise.withResolvers<never>();
  const stepMs = Math.max(1, timeoutMs / steps);
  let leftMs = timeoutMs;
  let timer: NodeJS.Timeout | undefined;
  const step = () => {
    timer = setTimeout(() => {
      leftMs -= stepMs;
      if (leftMs > 0) step();
      else setImmediate(() => reject(late()));
    }, stepMs);
  };
  step();
  try {
    return await Promise.race([promise, expired]);
  } finally {
    clearTimeout(timer);
    promise.catch(() => {});
  }
}
