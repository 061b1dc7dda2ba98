import type { Backoff } from '../backoff.ts';
import type { Outcome } from './outcome.ts';

/**
 * With more keys than `keys`, a calm one that a run without a hint found unchanged is reconciled less often in proportion, after
 * `mostTimes` of the usual time at the latest, and not after `mostMs` unless that is less than the usual time: so the rate of runs does
 * not grow with each key.
 */
export interface Calm {
  readonly keys: number;
  readonly mostTimes: number;
  readonly mostMs: number;
  /** Whether hints come with all that may happen to the key. Asked after each run without a hint that found nothing to do. */
  readonly isCalm: (key: string) => boolean;
}

export interface Pace {
  readonly resyncMs: number;
  readonly calm?: Omit<Calm, 'isCalm'>;
  /** How many keys the loop has. */
  readonly keys: number;
  /** Whether the last run had no hint, found nothing to do and left the key calm. */
  readonly isCalm: boolean;
  /** How many runs in a row failed. */
  readonly failures: number;
  readonly backoff: Backoff;
}

/** When a key is reconciled again without a hint, in milliseconds after a run; undefined: not at all. */
export function nextRunMs(outcome: Outcome, pace: Pace): number | undefined {
  const resyncMs = usualMs(pace) * (1 + Math.random() / 10);
  switch (outcome.kind) {
    case 'applied':
    case 'unchanged':
      return Math.min(resyncMs, outcome.retryAfterMs ?? resyncMs);
    case 'held':
      return outcome.retryAfterMs ?? resyncMs;
    case 'fenced':
      return pace.failures === 1 ? 0 : pace.backoff.nextMs();
    case 'failed':
      return outcome.error.retryable ? pace.backoff.nextMs() : undefined;
  }
}

function usualMs({ calm, isCalm, keys, resyncMs }: Pace): number {
  if (calm === undefined || !isCalm) return resyncMs;
  const times = Math.min(calm.mostTimes, Math.max(1, keys / calm.keys));
  return Math.max(resyncMs, Math.min(resyncMs * times, calm.mostMs));
}
