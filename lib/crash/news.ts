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
    if (!this.#arrived) await this.#wait(mostMs - leastMs, signal);
    this.#arrived = false;
  }

  /** The signal lives as long as the daemon, so nothing may stay at it. */
  async #wait(mostMs: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => resolve();
    const timer = setTimeout(wake, mostMs);
    signal.addEventListener('abort', wake, { once: true });
    this.#wake = wake;
    await promise;
    this.#wake = undefined;
    clearTimeout(timer);
    signal.removeEventListener('abort', wake);
    signal.throwIfAborted();
  }
}
