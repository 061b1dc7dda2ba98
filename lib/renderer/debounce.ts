import { performance } from 'node:perf_hooks';
import type { WaitSpec } from '../model/template-spec.ts';

/**
 * Gathers changes: the template is woken when nothing has changed for `minMs`, and at the latest `maxMs` after the first
 * change. Owns at most one timer.
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
    // Not even for the next turn of the event loop.
    if (this.#wait.minMs === 0) {
      this.wakeNow(event);
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

  /** Does not wait: what was gathered is looked at with this. */
  wakeNow(event: string): void {
    this.close();
    this.#wake(event);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
