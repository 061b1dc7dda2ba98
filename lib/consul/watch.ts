import { performance } from 'node:perf_hooks';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { type Backoff, makeBackoff } from '../backoff.ts';
import { hiddenError } from '../client/consul-access.ts';
import type { Indexed, KnownText, ReadOptions } from '../client/consul-options.ts';
import { SwitchmasterError } from '../errors.ts';
import { accessForLost, type ReadAccess } from '../model/access.ts';
import { hasOlderEntry, keepsEntries } from '../model/continuity.ts';
import { type ConsulAnswers, type ConsulQuery, queryId } from '../model/query.ts';
import { keepUnchanged } from './kept-objects.ts';
import { makeTokenBucket, type TokenBucket } from './token-bucket.ts';
import type { WatchLimits } from './watch-limits.ts';
import { answered, failed, hasValue, lastValue, type WatchEvent, type WatchState } from './watch-state.ts';

/** Reads from Consul: the client, or a reader in front of it that saves connections. */
export interface Reader {
  read(query: ConsulQuery, options: ReadOptions): Promise<Indexed<ConsulAnswers[ConsulQuery['kind']]>>;
  /** What of this the token may not read. Default: nothing is known to be denied. */
  denied?(
    access: readonly ReadAccess[],
    options: { dc?: string; signal?: AbortSignal },
  ): Promise<readonly ReadAccess[]>;
}

export type Consistency = 'default' | 'stale';

type Value = ConsulAnswers[ConsulQuery['kind']];

/**
 * One blocking query, repeated until it is stopped.
 *
 * The rules of the index ("Blocking Queries", Consul's HTTP API; consul-template's watch/view.go): begin without one;
 * block on the last one; begin again without one when it falls, and after every error, because a server that lost its
 * state would block until it reaches the old index; never block on an index below 1. An answer whose index fell is not
 * used: the watch reads once more first. A watch may miss that its own index fell: if it is away until the index of the new
 * data has reached the old one. So the fall of one is a fall of all ({@link noteFall}), and so is a key that is older than
 * before. If all keys of a folder are as before, only the trace of a deleted one has expired (`tombstone_ttl`).
 *
 * One rule is undocumented: a server whose state is replaced (`consul snapshot restore`) ends blocking queries early with
 * the old state and the old index (agent/consul/rpc.go, blockingQuery and AbandonCh). A watch that blocks on that index,
 * which is above the restored one, gets no answer until the wait ends.
 *
 * Another undocumented case: after a whole tree was deleted, a query that blocks on a folder below it may not end, because
 * its index goes back to that of an older deletion in that folder (seen on 1.8.7 and 1.14.11). Folders of keys are
 * therefore read again after {@link WatchLimits.treeWaitMs} at the latest.
 *
 * An agent that answers from a streamed view (Consul 1.10 and later) hides both from the query: after a loss of state it
 * keeps the query blocked until the wait is over, and then answers with a lower index, or with an empty view of index 1
 * that it has not loaded yet (agent/submatview/materializer.go, query). Such an answer is read again without an index,
 * which the servers themselves answer; and the fall of any other query's index ends the wait ({@link noteFall}).
 */
export class Watch {
  readonly query: ConsulQuery;
  readonly consistency: Consistency;
  state: WatchState<Value> = { kind: 'pending' };
  readonly #reader: Reader;
  readonly #limits: WatchLimits;
  readonly #onEvent: (event: WatchEvent) => void;
  readonly #onIndexFall: () => void;
  readonly #abort = new AbortController();
  readonly #backoff: Backoff;
  readonly #bucket: TokenBucket;
  /** What to block on; 0 reads at once. */
  #index = 0n;
  /** The highest index since the last fall. */
  #highest = 0n;
  #resets = 0;
  /**
   * Another watch has reported a fall, and this one still has its old value. The next value counts as a fall too: what was
   * done with the old one after the report proves nothing about it.
   */
  #knowsFall = false;
  /** The text of the last value, where it is a folder of keys, which is read again every few seconds, or the list of services. */
  #known: KnownText | undefined;
  #pause: AbortController | undefined;
  #request: AbortController | undefined;

  constructor(input: {
    query: ConsulQuery;
    consistency: Consistency;
    reader: Reader;
    limits: WatchLimits;
    onEvent: (event: WatchEvent) => void;
    /** Consul's index of this query fell: its state was lost or replaced. */
    onIndexFall?: () => void;
  }) {
    this.query = input.query;
    this.consistency = input.consistency;
    this.#reader = input.reader;
    this.#limits = input.limits;
    this.#onEvent = input.onEvent;
    this.#onIndexFall = input.onIndexFall ?? (() => {});
    this.#backoff = makeBackoff(input.limits.backoff);
    const { burst, refillMs, treeRefillMs } = input.limits;
    this.#bucket = makeTokenBucket({ burst, refillMs: this.query.kind === 'key-tree' ? treeRefillMs : refillMs });
  }

  /** Runs until {@link stop}; never throws. */
  async run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      let pauseMs: number;
      try {
        pauseMs = await this.#readOnce(signal);
      } catch (thrown) {
        if (signal.aborted) return;
        this.#index = 0n;
        if (thrown === restarted) continue;
        this.#settle(failed(this.state, SwitchmasterError.from(thrown)));
        pauseMs = this.#backoff.nextMs();
      }
      // What follows from the answer in the same turn, such as a render, does not wait for this.
      await nextTurn();
      if (pauseMs > 0) await this.#rest(pauseMs, signal);
    }
  }

  stop(): void {
    this.#abort.abort();
    this.#request?.abort();
  }

  /**
   * Another watch saw that Consul lost its state, or got another one. Reads again without an index, where the agent may be
   * answering from a streamed view.
   */
  noteFall(): void {
    this.#knowsFall = true;
    this.#resets += 1;
    if (this.query.kind === 'service' && this.#index > 0n) this.#request?.abort(restarted);
    if (!hasValue(this.state)) return;
    this.state = { ...this.state, resets: this.#resets };
    this.#onEvent('reset');
  }

  /** Ends a pause after a failure: another request found that Consul answers. */
  retryNow(): void {
    this.#pause?.abort();
  }

  /** Only {@link retryNow} shortens a pause, and only after a failure: other pauses limit the rate of requests. */
  async #rest(pauseMs: number, signal: AbortSignal): Promise<void> {
    const pause = new AbortController();
    const failing = this.state.kind === 'failed' || this.state.kind === 'stale';
    if (failing) this.#pause = pause;
    await delay(pauseMs, undefined, { signal: AbortSignal.any([signal, pause.signal]) }).catch(() => undefined);
    this.#pause = undefined;
    if (pause.signal.aborted) await delay(this.#bucket.takeMs(), undefined, { signal }).catch(() => undefined);
  }

  /** Takes one answer and returns how long to wait before the next request. */
  async #readOnce(signal: AbortSignal): Promise<number> {
    const asked = { index: this.#index, atMs: performance.now() };
    const answer = await this.#read();
    if (signal.aborted) return 0;
    await this.#refuseHidden(answer, signal);
    this.#backoff.reset();
    const isEarly = performance.now() - asked.atMs < this.#waitMs;
    if (asked.index > 0n && answer.index === asked.index && isEarly) {
      this.#index = 0n;
      return this.#bucket.takeMs();
    }
    if (answer.streamed === true && answer.index < asked.index) {
      this.#index = 0n;
      return this.#bucket.takeMs();
    }
    if (answer.index < 1n) {
      this.#index = 0n;
      this.#accept(answer);
      return this.#limits.pollMs;
    }
    if (this.#isFall(answer)) {
      this.#highest = 0n;
      this.#index = 0n;
      this.#countFall();
      return this.#bucket.takeMs();
    }
    this.#index = answer.index;
    this.#highest = answer.index;
    this.#accept(answer);
    const isAwaited = asked.index > 0n && this.query.kind !== 'key-tree';
    return Math.max(this.#bucket.takeMs(), isAwaited ? this.#limits.yieldMs : 0);
  }

  #isFall({ index, value }: Indexed<Value>): boolean {
    if (this.#highest === 0n) return false;
    const before = lastValue(this.state);
    return index < this.#highest ? !keepsEntries(before, value) : hasOlderEntry(before, value);
  }

  #countFall(): void {
    this.#resets += 1;
    if (!this.#knowsFall) this.#onIndexFall();
    this.#knowsFall = false;
  }

  async #read(): Promise<Indexed<Value>> {
    this.#request = new AbortController();
    const { signal } = this.#request;
    const known = this.#known === undefined ? {} : { known: this.#known };
    const options: ReadOptions = { index: this.#index, waitMs: this.#waitMs, signal, ...known };
    const answer = await this.#reader.read(this.query, { ...options, consistency: this.consistency });
    if (this.consistency === 'default') return answer;
    const recent = answer.knownLeader && answer.lastContactMs <= this.#limits.maxStaleMs;
    if (recent && answer.index >= this.#highest) return answer;
    // A server without contact to its leader answers from the past, and one that lags behind looks as if the index had
    // fallen. In both cases only an answer of the leader counts.
    return this.#reader.read(this.query, { ...options, index: 0n, consistency: 'default' });
  }

  /**
   * ACLs remove from an answer what the token may not read, without an error. So what is missing from an answer is only
   * gone if the token may still read it. Throws `consul-denied`: then the last good value counts, as in an outage.
   */
  async #refuseHidden({ value }: Indexed<Value>, signal: AbortSignal): Promise<void> {
    if (!hasValue(this.state) || this.state.value === value) return;
    const access = accessForLost(this.query, { before: this.state.value, after: value });
    if (access.length === 0) return;
    const dc = 'dc' in this.query ? this.query.dc : undefined;
    const denied = (await this.#reader.denied?.(access, { signal, ...(dc === undefined ? {} : { dc }) })) ?? [];
    if (denied.length > 0) throw hiddenError(queryId(this.query), denied);
  }

  get #waitMs(): number {
    const { waitMs, treeWaitMs } = this.#limits;
    return this.query.kind === 'key-tree' ? Math.min(waitMs, treeWaitMs) : waitMs;
  }

  #accept(answer: Indexed<Value>): void {
    if (!answer.knownLeader) {
      const message = `Consul has no leader: its answer about ${queryId(this.query)} may be old and is not used.`;
      throw new SwitchmasterError('consul-unavailable', message);
    }
    if (this.#knowsFall) this.#resets += 1;
    this.#knowsFall = false;
    const before = lastValue(this.state);
    const value = keepUnchanged(before, answer.value);
    this.#settle(answered(this.state, { value, index: answer.index, resets: this.#resets }));
    this.#known = answer.digest === undefined ? undefined : { digest: answer.digest, value: lastValue(this.state) };
  }

  #settle(next: { readonly state: WatchState<Value>; readonly event: WatchEvent | undefined }): void {
    this.state = next.state;
    if (next.event !== undefined) this.#onEvent(next.event);
  }
}

/** Why a request was ended that {@link Watch.noteFall} repeats. */
const restarted = new Error('the index of another query fell');
