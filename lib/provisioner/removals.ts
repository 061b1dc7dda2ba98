import type { Hint } from '../loop/hint.ts';

/** `removed`: a Sentinel does not monitor the master any more. The run may wait. */
export type ProvisioningHint =
  | (Hint & { readonly kind?: undefined })
  | (Hint & { readonly kind: 'removed'; readonly delayMs: number });

/** Two who disagree about a master would otherwise make the Sentinels write their config files without end. */
const firstApartMs = 1_000;
/** The default of `sentinel.resync`, which looks after each master anyway. */
const mostApartMs = 30_000;
/** Without a removal in this time, the next one is answered at once. */
const forgottenMs = 60_000;

interface Answer {
  /** When the run begins or began, in milliseconds of `performance.now()`. */
  readonly runMs: number;
  /** How long after it the next one may begin. */
  readonly apartMs: number;
}

/** How soon a master is added again that somebody removed at a Sentinel: at once, then with growing pauses. */
export class Removals {
  readonly #answers = new Map<string, Answer>();

  /** How long the run about a removal waits that is noticed now. */
  delayMs(name: string, nowMs: number): number {
    const next = answerNext(this.#answers.get(name), nowMs);
    this.#answers.set(name, next);
    return next.runMs - nowMs;
  }
}

function answerNext(last: Answer | undefined, nowMs: number): Answer {
  if (last === undefined || nowMs - last.runMs >= forgottenMs) return { runMs: nowMs, apartMs: firstApartMs };
  // One that is still to come is about this removal too.
  if (last.runMs > nowMs) return last;
  const apartMs = Math.min(2 * last.apartMs, mostApartMs);
  return { runMs: Math.max(nowMs, last.runMs + last.apartMs), apartMs };
}
