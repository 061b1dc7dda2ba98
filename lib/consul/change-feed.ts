import { EventEmitter, once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { makeBackoff } from '../backoff.ts';
import type { ConsulQuery } from '../model/query.ts';
import { makeTokenBucket } from './token-bucket.ts';
import type { Reader } from './watch.ts';

const waitMs = 60_000;

/** How long it rests, in times of what the last look took: with ten thousand services that is seconds of two programs. */
const restFactor = 1;

/**
 * Beats whenever anything changes in a datacenter's services or checks. It asks Consul only while somebody holds it.
 * An error is a notification too: what was missed meanwhile is found by looking.
 *
 * All who hold it look at Consul at a notification. The next one comes when they have done so and rested as long, however
 * much changes meanwhile: a catalog in which something always changes keeps the daemon and its agent half busy at most.
 */
export class ChangeFeed {
  readonly #client: Reader;
  readonly #dc: { readonly dc?: string };
  readonly #sweepMs: number;
  readonly #events = new EventEmitter().setMaxListeners(0);
  #abort: AbortController | undefined;
  #holders = 0;
  /** Of those, how many have looked and wait for the next notification. */
  #waiting = 0;
  #beats = 0;
  #lastNotificationMs = Number.NEGATIVE_INFINITY;
  /** Since the last notification all have looked, and rested as long as they must. */
  #restedMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  /** Something has changed while some still look. */
  #due: 'no' | 'yes' = 'no';

  constructor(input: { client: Reader; dc: string | undefined; sweepMs: number }) {
    this.#client = input.client;
    this.#dc = input.dc === undefined ? {} : { dc: input.dc };
    this.#sweepMs = input.sweepMs;
  }

  /** How often it has beaten. */
  get beats(): number {
    return this.#beats;
  }

  /** Keeps it beating until the returned function is called. */
  hold(): () => void {
    this.#holders += 1;
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      for (const kind of ['services', 'health'] as const) void this.#follow({ kind, ...this.#dc }, this.#abort.signal);
    }
    return () => {
      this.#holders -= 1;
      // Not at once: a holder that has had its answer comes back in the next turn.
      setImmediate(() => this.#released());
    };
  }

  /** Waits until it has beaten more often than `beats`, or the time is over. */
  async next(
    beats: number,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal | undefined },
  ): Promise<void> {
    const { timeoutMs, signal } = options;
    const over = AbortSignal.timeout(Math.max(1, Math.ceil(timeoutMs)));
    const either = signal === undefined ? over : AbortSignal.any([over, signal]);
    while (this.#beats === beats && !over.aborted) {
      this.#waiting += 1;
      this.#looked();
      await once(this.#events, 'notification', { signal: either }).catch(() => undefined);
      this.#waiting -= 1;
      signal?.throwIfAborted();
    }
  }

  #released(): void {
    if (this.#holders > 0) {
      this.#looked();
      return;
    }
    this.#abort?.abort();
    this.#abort = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#due = 'no';
  }

  /** Once all have looked, the rest begins. */
  #looked(): void {
    if (this.#waiting < this.#holders) return;
    const nowMs = performance.now();
    if (this.#restedMs < this.#lastNotificationMs)
      this.#restedMs = nowMs + restFactor * (nowMs - this.#lastNotificationMs);
    if (this.#due === 'no') return;
    this.#due = 'no';
    this.#notification();
  }

  async #follow(query: ConsulQuery, signal: AbortSignal): Promise<void> {
    const backoff = makeBackoff({ initialMs: 100, maxMs: 5_000 });
    const bucket = makeTokenBucket({ burst: 5, refillMs: 200 });
    let index = 0n;
    while (!signal.aborted) {
      let pauseMs: number;
      try {
        const askedMs = performance.now();
        const answer = await this.#client.read(query, { index, waitMs, signal });
        backoff.reset();
        // An answer before its time without anything new: the state was replaced (see Watch).
        const isReplaced = index !== 0n && answer.index === index && performance.now() - askedMs < waitMs;
        if ((answer.index !== index && index !== 0n) || isReplaced) this.#notification();
        // A fallen index begins anew, as any other (see Watch).
        index = answer.index < index || isReplaced ? 0n : answer.index;
        pauseMs = index < 1n ? 1_000 : bucket.takeMs();
      } catch {
        if (signal.aborted) return;
        if (index !== 0n) this.#notification();
        index = 0n;
        pauseMs = backoff.nextMs();
      }
      if (pauseMs > 0) await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** At once, or when all have looked and rested since the last one. */
  #notification(): void {
    if (this.#timer !== undefined) return;
    if (this.#waiting < this.#holders) {
      this.#due = 'yes';
      return;
    }
    const restMs = Math.max(this.#lastNotificationMs + this.#sweepMs, this.#restedMs) - performance.now();
    const notification = () => {
      this.#timer = undefined;
      this.#lastNotificationMs = performance.now();
      this.#beats += 1;
      this.#events.emit('notification');
    };
    if (restMs <= 0) notification();
    else this.#timer = setTimeout(notification, restMs);
  }
}
