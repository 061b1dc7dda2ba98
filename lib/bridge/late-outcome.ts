import { setTimeout as delay } from 'node:timers/promises';
import type { Outcome } from '../loop/outcome.ts';

/** What Consul usually needs for a write, generously: longer than that it hangs. */
const graceMs = 25;

/**
 * The outcome of `acting`, or undefined where `hurry` is aborted and Consul hangs: then nobody waits for it any more, and
 * `onLate` is told of what it came to after all, for it may have changed Consul.
 */
export async function beforeHurry(
  acting: Promise<Outcome>,
  options: { readonly hurry: AbortSignal; readonly onLate: (outcome: Outcome) => void },
): Promise<Outcome | undefined> {
  const { hurry, onLate } = options;
  const tooLong = new Promise<undefined>((resolve) => {
    const give = () => void delay(graceMs).then(() => resolve(undefined));
    if (hurry.aborted) give();
    else hurry.addEventListener('abort', give, { once: true });
  });
  const outcome = await Promise.race([acting, tooLong]);
  if (outcome === undefined) acting.then(onLate, () => undefined);
  return outcome;
}
