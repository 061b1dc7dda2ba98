/**
 * Why a key is reconciled. A late, repeated or lost hint does no harm: what counts is read back. A reconciler that must
 * know more than that something happened extends this type by a payload, tagged by `kind`.
 */
export interface Hint {
  /** What woke the key: `sentinel 127.0.0.1:26379`, `consul`, `operator`, ... */
  readonly source: string;
  /** What happened there: `+switch-master`, `changed`, ... */
  readonly event: string;
  /** When it was received: milliseconds of `performance.now()`. */
  readonly receivedMs: number;
}

/** What the loop itself wakes a key with: the resync, or the retry of a failure. It has no payload. */
export interface TimerHint extends Hint {
  readonly source: 'loop';
  readonly event: 'timer' | 'retry';
  readonly kind?: undefined;
}

/** A hint as its source gives it; the loop adds the time. */
export type NewHint<H extends Hint = Hint> = H extends unknown ? Omit<H, 'receivedMs'> : never;

export function isTimerHint(hint: Hint): hint is TimerHint {
  return hint.source === 'loop';
}
