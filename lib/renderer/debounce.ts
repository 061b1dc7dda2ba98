import { performance } from 'node:perf_hooks';
import type { WaitSpec } from '../model/template-spec.ts';

/**
 * Combines changes that follow each other closely: wakes the template when nothing has changed for `minMs`, and at most
 * `maxMs` after the first change. Owns at most one timer.
 */
export class Debouncer {
  readonly #wait: WaitSpec;
  readonly #wake: (event: string) => void;
  #timer: NodeJS.Timeout | undefined;
  #firstMs = 0;

  constructor(wait: WaitSpec, wake: (event: string) => void) {
    this.#wait = wait;
    this.#wake = wake;
  }

  changed(event: string): void {
    // Without a timer: even a timer of 0 ms costs a round of the event loop.
    if (this.#wait.minMs === 0) {
      this.close();
      this.#wake(event);
      return;
    }
    const nowMs = performance.now();
    if (this.#timer === undefined) this.#firstMs = nowMs;
    clearTimeout(this.#timer);
    const delayMs = Math.min(this.#wait.minMs, this.#firstMs + this.#wait.maxMs - nowMs);
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#wake(event);
      },
      Math.max(0, delayMs),
    );
  }

  /** Drops the pending wake-up: another run sees the same changes, or nothing follows. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
