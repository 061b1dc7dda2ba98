import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { BackoffLimits } from '../backoff.ts';
import { isAbort, SwitchmasterError } from '../errors.ts';
import { type Entry, newEntry } from './entry.ts';
import { type Hint, isTimerHint, type NewHint, type TimerHint } from './hint.ts';
import { type Calm, nextRunMs } from './next-run.ts';
import type { Outcome, RunReport } from './outcome.ts';
import { ActiveRun, type Reconciler, type Run } from './run.ts';

/*
 * A key is in one of four states:
 *
 *   waiting   no run; a timer may be set (resync, the retry of a failure, or hints that wait for others)
 *   running   its reconciler runs; the loop keeps hints that come now for the next run
 *   dirty     running, and a hint has come: the next run starts as soon as this one ends
 *   retired   no longer wanted; the loop forgets it when its run ends
 *
 * A key has one run at a time; any number of keys run side by side. A hint starts a run in the same tick, so a failover
 * never waits for a timer; only hints for which the reconciler sets a delay wait for others. A hint also ends a backoff
 * early, because the world has changed. `applied`, `unchanged` and `held` reset the count of failures. `fenced` runs again
 * at once but counts as a failure, so that two writers cannot spin.
 *
 * A hint that the reconciler calls urgent interrupts the run under way. While a run with such a hint is under way, runs of
 * other keys begin later: they would compete with it for the processor, the connections and Consul.
 */

export interface LoopOptions<H extends Hint = Hint> {
  readonly reconciler: Reconciler<H>;
  /** How often each key is reconciled without a hint; the loop adds up to a tenth at random. */
  readonly resyncMs: number;
  /** Default: no key is reconciled less often. */
  readonly calm?: Calm;
  /** Default: from 100 ms to 30 s. */
  readonly backoff?: BackoffLimits;
  readonly onReport?: (report: RunReport) => void;
}

/** How long a run is postponed while an urgent one is under way, and how often at most. */
const postponementMs = 20;
const mostPostponements = 5;

export class Loop<H extends Hint = Hint> {
  readonly #options: LoopOptions<H>;
  readonly #entries = new Map<string, Entry<H>>();
  readonly #runs = new Set<Promise<void>>();
  /** The runs under way that an urgent hint started or interrupted. */
  readonly #urgentRuns = new Set<ActiveRun<H>>();
  readonly #abort = new AbortController();
  #stopping = false;
  /** When the last hint came. */
  #hintMs = Number.NEGATIVE_INFINITY;

  constructor(options: LoopOptions<H>) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.reconciler.name;
  }

  get keys(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /** Whether no run is under way. */
  get isIdle(): boolean {
    return this.#runs.size === 0;
  }

  /** How long no hint has come, in milliseconds. */
  get quietMs(): number {
    return performance.now() - this.#hintMs;
  }

  /** Reconciles `key` as soon as possible: now, or when the run under way has ended. */
  wake(key: string, hint: NewHint<H>): void {
    if (this.#stopping) return;
    this.#hintMs = performance.now();
    const received = { ...hint, receivedMs: this.#hintMs } as unknown as H;
    const underWay = this.#entries.get(key)?.run;
    this.#add(key, received);
    if (underWay === undefined || !this.#isUrgent(received)) return;
    underWay.interrupt(received);
    this.#urgentRuns.add(underWay);
  }

  /** Wakes every key that the loop knows. */
  wakeAll(hint: NewHint<H>): void {
    for (const key of this.#entries.keys()) this.wake(key, hint);
  }

  /** Forgets `key`, after the run under way if there is one. */
  retire(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    clearTimeout(entry.timer);
    if (entry.state === 'waiting') this.#entries.delete(key);
    else entry.state = 'retired';
  }

  /** Starts no more runs, lets those under way finish for `graceMs`, then aborts them and waits for their end. */
  async stop(options: { readonly graceMs: number }): Promise<void> {
    this.#stopping = true;
    for (const entry of this.#entries.values()) clearTimeout(entry.timer);
    const timer = setTimeout(() => this.#abort.abort(stoppingError()), options.graceMs);
    await Promise.allSettled(this.#runs);
    clearTimeout(timer);
  }

  #add(key: string, hint: H | TimerHint): void {
    const entry = this.#entries.get(key) ?? this.#adopt(key);
    entry.hints.push(hint);
    if (entry.state === 'waiting') this.#startIn(key, entry, this.#delayMs(hint));
    else if (entry.state === 'running') entry.state = 'dirty';
  }

  #adopt(key: string): Entry<H> {
    const entry: Entry<H> = newEntry(this.#options.backoff ?? { initialMs: 100, maxMs: 30_000 });
    this.#entries.set(key, entry);
    return entry;
  }

  /** Starts a run after `delayMs`, or earlier if one is due. */
  #startIn(key: string, entry: Entry<H>, delayMs: number): void {
    if (delayMs <= 0) this.#start(key, entry);
    else if (entry.dueMs > performance.now() + delayMs) {
      this.#setTimer(entry, delayMs, () => this.#start(key, entry));
    }
  }

  #setTimer(entry: Entry<H>, delayMs: number, end: () => void): void {
    clearTimeout(entry.timer);
    entry.dueMs = performance.now() + delayMs;
    entry.timer = setTimeout(() => {
      entry.dueMs = Number.POSITIVE_INFINITY;
      end();
    }, delayMs);
  }

  #start(key: string, entry: Entry<H>): void {
    if (this.#isPostponed(entry)) {
      if (entry.dueMs <= performance.now() + postponementMs) return;
      entry.postponements += 1;
      this.#setTimer(entry, postponementMs, () => this.#start(key, entry));
      return;
    }
    clearTimeout(entry.timer);
    entry.dueMs = Number.POSITIVE_INFINITY;
    entry.postponements = 0;
    entry.state = 'running';
    const run = this.#run(key, entry).finally(() => this.#runs.delete(run));
    this.#runs.add(run);
  }

  #isPostponed({ hints, postponements }: Entry<H>): boolean {
    if (this.#urgentRuns.size === 0 || postponements === mostPostponements) return false;
    return !hints.some((hint) => this.#isUrgent(hint));
  }

  #isUrgent(hint: H | TimerHint): boolean {
    return !isTimerHint(hint) && this.#options.reconciler.isUrgent?.(hint) === true;
  }

  #delayMs(hint: H | TimerHint): number {
    return isTimerHint(hint) ? 0 : (this.#options.reconciler.delayMs?.(hint) ?? 0);
  }

  async #run(key: string, entry: Entry<H>): Promise<void> {
    const reconcileId = randomUUID().slice(0, 8);
    const run = new ActiveRun<H>({ key, reconcileId, hints: entry.hints.splice(0), signal: this.#abort.signal });
    const startedMs = performance.now();
    entry.run = run;
    if (run.hints.some((hint) => this.#isUrgent(hint))) this.#urgentRuns.add(run);
    const outcome = await this.#reconcile(run);
    entry.run = undefined;
    this.#urgentRuns.delete(run);
    const failed = outcome.kind === 'failed' || outcome.kind === 'fenced';
    entry.failures = failed ? entry.failures + 1 : 0;
    if (!failed) entry.backoff.reset();
    entry.isCalm = outcome.kind === 'unchanged' && run.hints.every(isTimerHint) && this.#isCalm(key);
    const nextMs = nextRunMs(outcome, { ...this.#options, ...entry, keys: this.#entries.size });
    const durationMs = performance.now() - startedMs;
    const { failures } = entry;
    const hints = run.hints.map(({ source, event, receivedMs }) => ({ source, event, receivedMs }));
    // The next run may be that of a failover. So the report, which is logged and kept, comes after its start.
    this.#rest(key, entry, nextMs);
    this.#report({ loop: this.name, key, reconcileId, hints, outcome, startedMs, durationMs, failures, nextMs });
  }

  #isCalm(key: string): boolean {
    try {
      return this.#options.calm?.isCalm(key) === true;
    } catch {
      return false;
    }
  }

  async #reconcile(run: Run<H>): Promise<Outcome> {
    try {
      return await this.#options.reconciler.reconcile(run);
    } catch (thrown) {
      const error = isAbort(thrown) && this.#stopping ? stoppingError() : SwitchmasterError.from(thrown);
      return { kind: 'failed', error };
    }
  }

  #rest(key: string, entry: Entry<H>, nextMs: number | undefined): void {
    if (this.#stopping) return;
    if (entry.state === 'retired') {
      this.#entries.delete(key);
      return;
    }
    const isDirty = entry.state === 'dirty';
    entry.state = 'waiting';
    if (isDirty) {
      const delayMs = entry.hints.map((hint) => this.#delayMs(hint));
      this.#startIn(key, entry, Math.min(...delayMs, nextMs ?? Number.POSITIVE_INFINITY));
      return;
    }
    if (nextMs === undefined) return;
    const event = entry.failures > 0 ? 'retry' : 'timer';
    this.#setTimer(entry, nextMs, () => this.#add(key, { source: 'loop', event, receivedMs: performance.now() }));
  }

  #report(report: RunReport): void {
    try {
      this.#options.onReport?.(report);
    } catch {
      // An observer that throws must not stop the loop; observers report their own errors.
    }
  }
}

function stoppingError(): SwitchmasterError {
  return new SwitchmasterError('stopping', 'The daemon is stopping.');
}
