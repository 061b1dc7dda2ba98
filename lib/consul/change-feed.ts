import { EventEmitter, once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { type Backoff, makeBackoff } from '../backoff.ts';
import type { ConsulQuery } from '../model/query.ts';
import { makeTokenBucket } from './token-bucket.ts';
import type { Reader } from './watch.ts';

const waitMs = 60_000;

/** The pause after a notification, as a multiple of the time that its reads took. */
const restFactor = 1;

/**
 * Notifies its subscribers when anything changes in a datacenter's services or checks. Without subscribers it sends
 * nothing to Consul. An error notifies too: the subscribers then read what they missed.
 *
 * Every subscriber reads Consul after a notification. The next notification comes when all have read and as much time
 * has passed again, however much changes meanwhile. So a catalog that always changes keeps the daemon and its agent busy
 * for half of the time at most: reading ten thousand services takes both of them seconds.
 */
export class ChangeFeed {
  readonly #client: Reader;
  readonly #dc: { readonly dc?: string };
  readonly #sweepMs: number;
  readonly #events = new EventEmitter().setMaxListeners(0);
  #abort: AbortController | undefined;
  #subscribers = 0;
  /** The subscribers that have read and wait for the next notification. */
  #waiting = 0;
  #count = 0;
  #lastNotificationMs = Number.NEGATIVE_INFINITY;
  /** The end of the pause after the last notification; earlier than that notification while some still read. */
  #restedMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  /** Something changed while some subscribers still read. */
  #isDue = false;

  constructor(input: { client: Reader; dc: string | undefined; sweepMs: number }) {
    this.#client = input.client;
    this.#dc = input.dc === undefined ? {} : { dc: input.dc };
    this.#sweepMs = input.sweepMs;
  }

  /** The number of notifications so far. */
  get count(): number {
    return this.#count;
  }

  /** Adds a subscriber. The returned function removes it. */
  subscribe(): () => void {
    this.#subscribers += 1;
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      for (const kind of ['services', 'health'] as const) void this.#follow({ kind, ...this.#dc }, this.#abort.signal);
    }
    return () => {
      this.#subscribers -= 1;
      // A subscriber that got its answer often subscribes again at once.
      setImmediate(() => this.#afterRemoval());
    };
  }

  /** Waits until more than `count` notifications were sent, or the time is over. */
  async next(
    count: number,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal | undefined },
  ): Promise<void> {
    const { timeoutMs, signal } = options;
    const timeout = AbortSignal.timeout(Math.max(1, Math.ceil(timeoutMs)));
    const ended = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
    while (this.#count === count && !timeout.aborted) {
      this.#waiting += 1;
      this.#afterRead();
      await once(this.#events, 'notification', { signal: ended }).catch(() => undefined);
      this.#waiting -= 1;
      signal?.throwIfAborted();
    }
  }

  #afterRemoval(): void {
    if (this.#subscribers > 0) {
      this.#afterRead();
      return;
    }
    this.#abort?.abort();
    this.#abort = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isDue = false;
  }

  /** Starts the pause if all subscribers have read. */
  #afterRead(): void {
    if (this.#waiting < this.#subscribers) return;
    const nowMs = performance.now();
    if (this.#restedMs < this.#lastNotificationMs)
      this.#restedMs = nowMs + restFactor * (nowMs - this.#lastNotificationMs);
    if (!this.#isDue) return;
    this.#isDue = false;
    this.#scheduleNotification();
  }

  async #follow(query: ConsulQuery, signal: AbortSignal): Promise<void> {
    const backoff = makeBackoff({ initialMs: 100, maxMs: 5_000 });
    const bucket = makeTokenBucket({ burst: 5, refillMs: 200 });
    let index = 0n;
    while (!signal.aborted) {
      const next = await this.#readOnce(query, { index, signal, backoff });
      if (signal.aborted) return;
      index = next.index;
      const pauseMs = next.pauseMs ?? (index < 1n ? 1_000 : bucket.takeMs());
      if (pauseMs > 0) await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Takes one answer of Consul. Returns the index to block on next and, after an error, how long to pause. */
  async #readOnce(
    query: ConsulQuery,
    { index, signal, backoff }: { index: bigint; signal: AbortSignal; backoff: Backoff },
  ): Promise<{ readonly index: bigint; readonly pauseMs?: number }> {
    try {
      const askedMs = performance.now();
      const answer = await this.#client.read(query, { index, waitMs, signal });
      backoff.reset();
      // An early answer with the same index: the state was replaced (see Watch).
      const isReplaced = index !== 0n && answer.index === index && performance.now() - askedMs < waitMs;
      if ((answer.index !== index && index !== 0n) || isReplaced) this.#scheduleNotification();
      // After a fall of the index, the next read has none (see Watch).
      return { index: answer.index < index || isReplaced ? 0n : answer.index };
    } catch {
      if (index !== 0n && !signal.aborted) this.#scheduleNotification();
      return { index: 0n, pauseMs: backoff.nextMs() };
    }
  }

  /** Notifies at once, or when all have read and the pause after the last notification is over. */
  #scheduleNotification(): void {
    if (this.#timer !== undefined) return;
    if (this.#waiting < this.#subscribers) {
      this.#isDue = true;
      return;
    }
    const restMs = Math.max(this.#lastNotificationMs + this.#sweepMs, this.#restedMs) - performance.now();
    if (restMs <= 0) this.#notify();
    else this.#timer = setTimeout(() => this.#notify(), restMs);
  }

  #notify(): void {
    this.#timer = undefined;
    this.#lastNotificationMs = performance.now();
    this.#count += 1;
    this.#events.emit('notification');
  }
}
