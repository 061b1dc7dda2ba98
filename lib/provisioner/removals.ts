import type { Hint } from '../loop/hint.ts';

/** `removed`: a Sentinel does not monitor the master any more. The run may wait. */
export type ProvisioningHint =
  | (Hint & { readonly kind?: undefined })
  | (Hint & { readonly kind: 'removed'; readonly delayMs: number });

/** Two who disagree about a master would otherwise make the Sentinels write their config files without end. */
const apartMs = 1_000;

/** How soon a master is added again that somebody removed at a Sentinel: at once, but once a second at most. */
export class Removals {
  /** When the last run about a removal begins or began, by master, in milliseconds of `performance.now()`. */
  readonly #runMs = new Map<string, number>();

  /** How long the run about a removal waits that is noticed now. */
  delayMs(name: string, nowMs: number): number {
    const lastMs = this.#runMs.get(name) ?? Number.NEGATIVE_INFINITY;
    // One that is still to come is about this removal too.
    const runMs = lastMs > nowMs ? lastMs : Math.max(nowMs, lastMs + apartMs);
    this.#runMs.set(name, runMs);
    return runMs - nowMs;
  }
}
