import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

/** The stages of an order, each with its time since the beginning in milliseconds, to a tenth. */
export class Stages<S extends string> {
  readonly times: Partial<Record<S, number>> = {};
  readonly #startedMs = performance.now();
  readonly #onStage: ((stage: S, elapsedMs: number) => void) | undefined;

  constructor(onStage?: (stage: S, elapsedMs: number) => void) {
    this.#onStage = onStage;
  }

  get elapsedMs(): number {
    return Math.round(performance.now() - this.#startedMs);
  }

  /** `atMs`: when, in milliseconds of `performance.now()`, if it was seen later. */
  reached(stage: S, atMs = performance.now()): void {
    const elapsedMs = toTenths(atMs - this.#startedMs);
    this.times[stage] = elapsedMs;
    this.#onStage?.(stage, elapsedMs);
  }

  /** The stage did not last, and will be reached again. */
  undo(stage: S): void {
    delete this.times[stage];
  }

  /** The time from one stage to another; a stage that was not reached counts as the beginning. */
  between(from: S, to: S): number {
    return toTenths((this.times[to] ?? 0) - (this.times[from] ?? 0));
  }
}

function toTenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}

/** Checks a condition until it holds. False where it does not within `timeoutMs`. */
export async function holdsWithin(
  condition: () => Promise<boolean>,
  { timeoutMs, pollMs }: { readonly timeoutMs: number; readonly pollMs: number },
): Promise<boolean> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) return false;
    await delay(pollMs);
  }
  return true;
}
