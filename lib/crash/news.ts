import { setTimeout as delay } from 'node:timers/promises';

/** Ends a rest early when something was learned, and not at the end of its time. */
export class News {
  #arrived = false;
  #wake: (() => void) | undefined;

  arrive(): void {
    this.#arrived = true;
    this.#wake?.();
  }

  /** Rests for `mostMs`, and for `leastMs` if something arrives or has arrived since the last rest. Rejects only if `signal` is aborted. */
  async rest({ leastMs, mostMs, signal }: { leastMs: number; mostMs: number; signal: AbortSignal }): Promise<void> {
    await delay(leastMs, undefined, { signal });
    if (!this.#arrived) {
      const woken = new AbortController();
      this.#wake = () => woken.abort();
      const ended = AbortSignal.any([signal, woken.signal]);
      await delay(mostMs - leastMs, undefined, { signal: ended }).catch(() => undefined);
      this.#wake = undefined;
      signal.throwIfAborted();
    }
    this.#arrived = false;
  }
}
