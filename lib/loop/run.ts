import type { Hint, TimerHint } from './hint.ts';
import type { Outcome } from './outcome.ts';

/** One run of a reconciler for one key. */
export interface Run<H extends Hint = Hint> {
  readonly key: string;
  /** On every log line and journal entry of this run. */
  readonly reconcileId: string;
  /** The hints that came since the last run began; never empty. */
  readonly hints: readonly (H | TimerHint)[];
  /** Aborted when the daemon stops and its grace period is over. */
  readonly signal: AbortSignal;
  /**
   * Aborted while an urgent hint waits that `takeUrgent` has not returned. Each call of `takeUrgent` starts a new signal,
   * so read this property after it.
   */
  readonly interrupted: AbortSignal;
  /**
   * The urgent hints that came during this run and that no earlier call returned, oldest first. They are hints of the
   * next run as well, which follows this one at once.
   */
  takeUrgent(): readonly H[];
}

export interface Reconciler<H extends Hint = Hint> {
  /** `bridge`, `renderer`, `registrar`, ... */
  readonly name: string;
  /** observe → plan → apply for one key. A throw is the outcome `failed`. */
  reconcile(run: Run<H>): Promise<Outcome>;
  /** Whether a hint interrupts a run under way. Default: no hint does. */
  isUrgent?(hint: H): boolean;
  /** How long a hint may wait for others before it starts a run, in milliseconds. Default: 0. */
  delayMs?(hint: H): number;
}

/** The run that a loop passes to its reconciler. */
export class ActiveRun<H extends Hint = Hint> implements Run<H> {
  readonly key: string;
  readonly reconcileId: string;
  readonly hints: readonly (H | TimerHint)[];
  readonly signal: AbortSignal;
  #urgent: H[] = [];
  #interruption = new AbortController();

  constructor(run: Pick<Run<H>, 'key' | 'reconcileId' | 'hints' | 'signal'>) {
    this.key = run.key;
    this.reconcileId = run.reconcileId;
    this.hints = run.hints;
    this.signal = run.signal;
  }

  get interrupted(): AbortSignal {
    return this.#interruption.signal;
  }

  takeUrgent(): readonly H[] {
    const taken = this.#urgent;
    this.#urgent = [];
    if (this.interrupted.aborted) this.#interruption = new AbortController();
    return taken;
  }

  interrupt(hint: H): void {
    this.#urgent.push(hint);
    this.#interruption.abort();
  }
}
