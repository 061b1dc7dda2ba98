import type { SwitchmasterError } from '../errors.ts';
import type { Hint } from './hint.ts';

/**
 * The result of one run. `summary` is a sentence for people; `details` are facts for machines. `retryAfterMs`: the loop runs
 * again then, also if the resync is later; after `applied` and `unchanged` because time alone changes the result.
 */
export type Outcome = (
  | { readonly kind: 'applied'; readonly summary: string; readonly retryAfterMs?: number; readonly details?: Details }
  | { readonly kind: 'unchanged'; readonly retryAfterMs?: number; readonly details?: Details }
  /** Another writer's newer change won: the loop runs again at once. */
  | { readonly kind: 'fenced'; readonly summary: string; readonly details?: Details }
  /** Nothing may be done yet (no majority, target not a master, held by a guard): the loop runs again later. */
  | { readonly kind: 'held'; readonly summary: string; readonly retryAfterMs?: number; readonly details?: Details }
  | { readonly kind: 'failed'; readonly error: SwitchmasterError; readonly details?: Details }
) & {
  /** The decision and everything it was made from: for the journal's file only, so that it can be replayed. */
  readonly replay?: Replay;
};

export interface Replay {
  readonly situation: unknown;
  readonly decision: unknown;
}

type Details = Readonly<Record<string, unknown>>;

/** What observers (log, metrics, journal) get after each run. */
export interface RunReport {
  readonly loop: string;
  readonly key: string;
  readonly reconcileId: string;
  /** Without their payloads. */
  readonly hints: readonly Hint[];
  readonly outcome: Outcome;
  /** Milliseconds of `performance.now()` at which the run began. */
  readonly startedMs: number;
  readonly durationMs: number;
  /** Failures in a row, this one included; 0 after anything else. */
  readonly failures: number;
  /** When the loop runs again by itself, in milliseconds from now; undefined where only a hint wakes the key. */
  readonly nextMs: number | undefined;
}
