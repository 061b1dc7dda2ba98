import { setTimeout as delay } from 'node:timers/promises';
import type { RedisPool } from '../../client/redis-pool.ts';
import { isAbort } from '../../errors.ts';
import { type Address, sameAddress } from '../../model/address.ts';
import type { RoleAnswer } from '../../model/sentinel.ts';
import type { FreshAnswers } from '../hint.ts';

export interface PromotionSourceOptions {
  readonly redis: Pick<RedisPool, 'role' | 'ended'>;
  /** Asks the Sentinel that leads the failover. */
  readonly readLeader: (name: string, promotionWatch: PromotionWatch) => FreshAnswers['readings'];
  /** The selected replica answers ROLE as master. */
  readonly onPromoted: (name: string, promotionWatch: PromotionWatch, answers: FreshAnswers) => void;
}

export interface PromotionWatch {
  /** The Sentinel that leads the failover. */
  readonly sentinel: Address;
  readonly epoch: number;
  readonly selected: Address;
}

/**
 * Asks a replica that a Sentinel selected for its ROLE, until it is promoted. Sentinel itself learns of the promotion from
 * INFO, up to a second later. A promotion closes all client connections of the replica (sentinel.c, sentinelSendSlaveOf),
 * so a closed connection is the sign to ask at once. Where Sentinel may not close them, the replica is asked every 10 ms.
 *
 * The leader is asked too, for its state must be read back before a record is written: when the connection closes, so that it
 * answers while the next connection is opened, and otherwise when the replica has answered as a master.
 */
export class PromotionSource {
  readonly #options: PromotionSourceOptions;
  readonly #promotionWatches = new Map<
    string,
    { readonly promotionWatch: PromotionWatch; readonly abort: AbortController }
  >();

  constructor(options: PromotionSourceOptions) {
    this.#options = options;
  }

  /**
   * Starts to poll the selected replica of `name`, and ends a watch over an older epoch. Before the first poll it calls
   * `prepare`, once for each failover, and gives it some time: the polls must not compete with it for the processor.
   */
  start(name: string, promotionWatch: PromotionWatch, prepare: () => Promise<void>): void {
    const running = this.#promotionWatches.get(name);
    if (running !== undefined && running.promotionWatch.epoch >= promotionWatch.epoch) return;
    this.end(name);
    const abort = new AbortController();
    this.#promotionWatches.set(name, { promotionWatch, abort });
    void this.#watch(name, { promotionWatch, prepared: prepare(), signal: abort.signal });
  }

  /** The failover succeeded or failed. */
  end(name: string): void {
    this.#promotionWatches.get(name)?.abort.abort();
    this.#promotionWatches.delete(name);
  }

  /** A Sentinel gave up. This ends only the failover that it leads, because other Sentinels often lose elections. */
  abandon(name: string, sentinel: Address): void {
    const promotionWatch = this.#promotionWatches.get(name)?.promotionWatch;
    if (promotionWatch !== undefined && sameAddress(promotionWatch.sentinel, sentinel)) this.end(name);
  }

  close(): void {
    for (const name of [...this.#promotionWatches.keys()]) this.end(name);
  }

  async #watch(
    name: string,
    watch: { readonly promotionWatch: PromotionWatch; readonly prepared: Promise<void>; readonly signal: AbortSignal },
  ): Promise<void> {
    const { promotionWatch, prepared, signal } = watch;
    const startedMs = performance.now();
    let [leader, closures]: [LeaderReading | undefined, number] = [undefined, 0];
    try {
      await Promise.race([prepared.catch(() => undefined), delay(preparationMs, undefined, { signal })]);
      for (;;) {
        const { role, closed } = await this.#ask(promotionWatch.selected, { startedMs, signal });
        if (signal.aborted) return;
        if (role?.role === 'master') {
          leader ??= this.#readLeader(name, promotionWatch);
          return this.#options.onPromoted(name, promotionWatch, { ...leader, role });
        }
        if (performance.now() - startedMs > longestMs) return this.end(name);
        closures += closed ? 1 : 0;
        leader = closed && closures <= mostEarlyReadings ? this.#readLeader(name, promotionWatch) : undefined;
        if (closures > mostEarlyReadings) await delay(leastMs, undefined, { signal });
      }
    } catch (thrown) {
      if (!isAbort(thrown)) throw thrown;
    }
  }

  #readLeader(name: string, promotionWatch: PromotionWatch): LeaderReading {
    const untilMs = performance.now() + validMs;
    const readings = this.#options.readLeader(name, promotionWatch);
    // Nobody waits for it where the replica is not promoted.
    readings.catch(() => undefined);
    return { readings, untilMs };
  }

  /**
   * Asks for the role. Unless it is `master`, rests then. Ends at once when the replica closes the connection, also before
   * the question has failed.
   */
  async #ask(
    selected: Address,
    { startedMs, signal }: { startedMs: number; signal: AbortSignal },
  ): Promise<{ readonly role?: RoleAnswer | undefined; readonly closed: boolean }> {
    const { redis } = this.#options;
    const over = new AbortController();
    const ended = redis.ended(selected, AbortSignal.any([signal, over.signal]));
    const closed = ended.then(() => true as const).catch(() => false as const);
    try {
      const asking = redis.role(selected, { timeoutMs: askTimeoutMs });
      const role = await Promise.race([asking, closed.then(() => undefined)]);
      if (role === undefined) return { closed: await closed };
      if (role.role === 'master') return { role, closed: false };
      const restMs = performance.now() - startedMs < closeMs ? 10 : 25;
      return { role, closed: await Promise.race([closed, delay(restMs, false, { signal })]) };
    } finally {
      over.abort();
    }
  }
}

type LeaderReading = Omit<FreshAnswers, 'role'>;

/** A run that starts later has waited for another one. */
const validMs = 50;
/** A replica that nobody reaches closes every connection: it must not be asked all the time, nor the Sentinel each time. */
const mostEarlyReadings = 5;
const askTimeoutMs = 250;
/** Sentinel promotes the replica at its next timer tick, 50 to 100 ms after the selection. */
const preparationMs = 30;
const leastMs = 1;
/** A promotion usually takes 0.1 s from the selection. After this time the replica is asked less often. */
const closeMs = 5_000;
/** Sentinel gives up after failover-timeout, by default three minutes. */
const longestMs = 200_000;
