import { setTimeout as delay } from 'node:timers/promises';
import type { Outcome } from '../loop/outcome.ts';

/* How an announcement interrupts a run. */

export const interruptedOutcome: Outcome = {
  kind: 'held',
  summary: 'interrupted by an announced failover',
  retryAfterMs: 0,
};

/** Longer than Consul usually needs for a write: after that, this counts it as hanging. */
const graceMs = 25;

/**
 * The outcome of `writing`; undefined where the run is interrupted and Consul hangs. Then the run waits no longer, and
 * `onLate` gets the outcome when there is one, because the write may have changed Consul.
 */
export async function beforeInterruption(
  writing: Promise<Outcome>,
  options: { readonly interrupted: AbortSignal; readonly onLate: (outcome: Outcome) => void },
): Promise<Outcome | undefined> {
  const tooLong = aborted(options.interrupted).then(() => delay(graceMs, undefined));
  const outcome = await Promise.race([writing, tooLong]);
  if (outcome === undefined) writing.then(options.onLate, () => undefined);
  return outcome;
}

/** Resolves when `signal` is aborted. */
export function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
