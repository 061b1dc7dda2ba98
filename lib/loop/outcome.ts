import type { SwitchmasterError } from '../errors.ts';

/** Why a key is looked at. It carries no state: a late, repeated or lost hint does no harm. */
export interface Hint {
  /** What woke the key: `sentinel 127.0.0.1:26379`, `consul`, `resync`, `operator`, ... */
  readonly source: string;
  /** What happened there: `+switch-master`, `changed`, `timer`, ... */
  readonly event: string;
  /** When it was received: milliseconds of `performance.now()`. */
  readonly receivedMs: number;
}

/** What one reconciliation came to. `summary` is a sentence for people; `details` are facts for machines. */
export type Outcome = (
  | { readonly kind: 'applied'; readonly summary: string; readonly details?: Details }
  | { readonly kind: 'unchanged'; readonly details?: Details }
  /** Somebody else's newer change won: look again at once. */
  | { readonly kind: 'fenced'; readonly summary: string; readonly details?: Details }
  /** Nothing may be done yet (no majority, target not a master, held by a guard): look again after a while. */
  | { readonly kind: 'held'; readonly summary: string; readonly retryAfterMs?: number; readonly details?: Details }
  | { readonly kind: 'failed'; readonly error: SwitchmasterError; readonly details?: Details }
) & {
  /** What was decided, and from what in full: for the journal's file only, so that it can be decided again. */
  readonly replay?: Replay;
};

export interface Replay {
  readonly situation: unknown;
  readonly decision: unknown;
}

export type Details = Readonly<Record<string, unknown>>;

/** One run of a reconciler for one key. */
export interface Run {
  readonly key: string;
  /** On every log line and journal entry of this run. */
  readonly reconcileId: string;
  /** What woke the key since its last run began; never empty. */
  readonly hints: readonly Hint[];
  /** Aborted when the daemon stops and its grace is over. */
  readonly signal: AbortSignal;
}

export interface Reconciler {
  /** `bridge`, `renderer`, `registrar`, ... */
  readonly name: string;
  /** observe → plan → apply for one key. A throw is the outcome `failed`. */
  reconcile(run: Run): Promise<Outcome>;
}

/** What observers (log, metrics, journal) are told after each run. */
export interface RunReport {
  readonly loop: string;
  readonly key: string;
  readonly reconcileId: string;
  readonly hints: readonly Hint[];
  readonly outcome: Outcome;
  /** Milliseconds of `performance.now()` at which the run began. */
  readonly startedMs: number;
  readonly durationMs: number;
  /** Failures in a row, this one included; 0 after anything else. */
  readonly failures: number;
  /** When the loop looks again by itself, in milliseconds from now; undefined where only a hint wakes it. */
  readonly nextMs: number | undefined;
}
