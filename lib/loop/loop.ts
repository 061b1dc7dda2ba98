import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { type Backoff, type BackoffLimits, makeBackoff } from '../backoff.ts';
import { isAbort, SwitchmasterError } from '../errors.ts';
import type { Hint, Outcome, Reconciler, RunReport } from './outcome.ts';

/*
 * The one loop. A key is in one of four states:
 *
 *   waiting   nothing to do; a timer may be set (resync, or the retry of a failure)
 *   running   its reconciler works; hints that come now are kept
 *   dirty     running, and woken meanwhile: runs again as soon as this run ends
 *   retired   no longer wanted; forgotten when its run ends
 *
 * One run at a time for a key, any number of keys side by side. A hint starts a run in the same tick: a failover never
 * waits behind a timer, and a hint cuts a backoff short, for the world has changed. `applied`, `unchanged` and `held`
 * end a row of failures; `fenced` runs again at once, but counts as a failure, so that two writers cannot spin.
 */

export interface LoopOptions {
  readonly reconciler: Reconciler;
  /** How often each key is looked at although nothing woke it; a random tenth is added. Default 30,000. */
  readonly resyncMs?: number;
  /** Default: from 100 ms to 30 s. */
  readonly backoff?: BackoffLimits;
  readonly onReport?: (report: RunReport) => void;
}

interface Entry {
  state: 'waiting' | 'running' | 'dirty' | 'retired';
  hints: Hint[];
  timer: NodeJS.Timeout | undefined;
  failures: number;
  readonly backoff: Backoff;
}

export class Loop {
  readonly #options: LoopOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #runs = new Set<Promise<void>>();
  readonly #abort = new AbortController();
  #stopping = false;

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.reconciler.name;
  }

  get keys(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /** Looks at `key` as soon as possible: now, or when the run under way has ended. */
  wake(key: string, hint: { readonly source: string; readonly event: string }): void {
    if (this.#stopping) return;
    const entry = this.#entries.get(key) ?? this.#adopt(key);
    entry.hints.push({ ...hint, receivedMs: performance.now() });
    if (entry.state === 'waiting') this.#start(key, entry);
    else if (entry.state === 'running') entry.state = 'dirty';
  }

  /** Wakes every key that the loop knows. */
  wakeAll(hint: { readonly source: string; readonly event: string }): void {
    for (const key of this.#entries.keys()) this.wake(key, hint);
  }

  /** Forgets `key`; a run under way is finished. */
  retire(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    clearTimeout(entry.timer);
    if (entry.state === 'waiting') this.#entries.delete(key);
    else entry.state = 'retired';
  }

  /** Starts nothing more, lets runs under way finish for `graceMs`, then aborts them and waits. */
  async stop(options: { readonly graceMs: number }): Promise<void> {
    this.#stopping = true;
    for (const entry of this.#entries.values()) clearTimeout(entry.timer);
    const timer = setTimeout(() => this.#abort.abort(stoppingError()), options.graceMs);
    await Promise.allSettled(this.#runs);
    clearTimeout(timer);
  }

  #adopt(key: string): Entry {
    const limits = this.#options.backoff ?? { initialMs: 100, maxMs: 30_000 };
    const entry: Entry = { state: 'waiting', hints: [], timer: undefined, failures: 0, backoff: makeBackoff(limits) };
    this.#entries.set(key, entry);
    return entry;
  }

  #start(key: string, entry: Entry): void {
    clearTimeout(entry.timer);
    entry.state = 'running';
    const run = this.#run(key, entry).finally(() => this.#runs.delete(run));
    this.#runs.add(run);
  }

  async #run(key: string, entry: Entry): Promise<void> {
    const hints = entry.hints.splice(0);
    const reconcileId = randomUUID().slice(0, 8);
    const startedMs = performance.now();
    const outcome = await this.#reconcile({ key, reconcileId, hints });
    const failed = outcome.kind === 'failed' || outcome.kind === 'fenced';
    entry.failures = failed ? entry.failures + 1 : 0;
    if (!failed) entry.backoff.reset();
    const nextMs = this.#delayAfter(outcome, entry);
    const durationMs = performance.now() - startedMs;
    this.#report({
      loop: this.name,
      key,
      reconcileId,
      hints,
      outcome,
      startedMs,
      durationMs,
      failures: entry.failures,
      nextMs,
    });
    this.#rest(key, entry, nextMs);
  }

  async #reconcile(run: { key: string; reconcileId: string; hints: readonly Hint[] }): Promise<Outcome> {
    try {
      return await this.#options.reconciler.reconcile({ ...run, signal: this.#abort.signal });
    } catch (thrown) {
      const error = isAbort(thrown) && this.#stopping ? stoppingError() : SwitchmasterError.from(thrown);
      return { kind: 'failed', error };
    }
  }

  #delayAfter(outcome: Outcome, entry: Entry): number | undefined {
    const resyncMs = (this.#options.resyncMs ?? 30_000) * (1 + Math.random() / 10);
    switch (outcome.kind) {
      case 'applied':
      case 'unchanged':
        return resyncMs;
      case 'held':
        return outcome.retryAfterMs ?? resyncMs;
      case 'fenced':
        return entry.failures === 1 ? 0 : entry.backoff.nextMs();
      case 'failed':
        return outcome.error.retryable ? entry.backoff.nextMs() : undefined;
    }
  }

  #rest(key: string, entry: Entry, nextMs: number | undefined): void {
    if (this.#stopping) return;
    if (entry.state === 'retired') {
      this.#entries.delete(key);
    } else if (entry.state === 'dirty') {
      this.#start(key, entry);
    } else {
      entry.state = 'waiting';
      if (nextMs === undefined) return;
      const event = entry.failures > 0 ? 'retry' : 'timer';
      entry.timer = setTimeout(() => this.wake(key, { source: 'loop', event }), nextMs);
    }
  }

  #report(report: RunReport): void {
    try {
      this.#options.onReport?.(report);
    } catch {
      // An observer's defect must not stop the loop; observers report their own.
    }
  }
}

function stoppingError(): SwitchmasterError {
  return new SwitchmasterError('stopping', 'The daemon is stopping.');
}
