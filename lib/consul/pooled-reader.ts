import { performance } from 'node:perf_hooks';
import type { Indexed, ReadOptions } from '../client/consul.ts';
import type { ConsulAnswers, ConsulQuery } from '../model/query.ts';
import { ChangeFeed } from './change-feed.ts';
import { Semaphore } from './semaphore.ts';
import type { Reader } from './watch.ts';

type Answer = Indexed<ConsulAnswers[ConsulQuery['kind']]>;

export interface PoolLimits {
  /** How many blocking queries have a connection of their own. */
  readonly ownConnections: number;
}

/** How many reads run at a time that do not block. */
const plainReads = 16;

/** The least time between two reads of a query that shares a connection. */
const sweepMs = 500;

/**
 * Follows any number of services over few connections. A Consul agent lets one address have 200 (`limits.
 * http_max_conns_per_client`), and a blocking query keeps one.
 *
 * The first queries get connections of their own. Services beyond them share two: one on the names and tags of all
 * services, whose index moves when any instance comes, goes or changes, and one on all health checks. When either moves,
 * the services that share are read again, a few at a time and at most every `sweepMs`. While nothing changes in the
 * catalog, nothing is read. Masters never wait behind others: services of Redis always have connections of their own.
 */
export class PooledReader implements Reader {
  readonly #client: Reader;
  readonly #limits: PoolLimits;
  readonly #semaphore = new Semaphore(plainReads);
  readonly #changeFeeds = new Map<string, ChangeFeed>();
  #own = 0;

  constructor(client: Reader, limits: PoolLimits) {
    this.#client = client;
    this.#limits = limits;
  }

  async read(query: ConsulQuery, options: ReadOptions): Promise<Answer> {
    if (options.index === undefined || options.index === 0n) return this.#readPlainly(query, options);
    const mayShare = query.kind === 'service' && !query.service.startsWith('redis');
    if (mayShare && this.#own >= this.#limits.ownConnections) return this.#readShared(query, options);
    this.#own += 1;
    try {
      return await this.#client.read(query, options);
    } finally {
      this.#own -= 1;
    }
  }

  #readPlainly(query: ConsulQuery, options: ReadOptions): Promise<Answer> {
    const { index: _, ...plain } = options;
    return this.#semaphore.pass(() => this.#client.read(query, plain), options.signal);
  }

  /** As a blocking query: answers when there is something newer, or when the wait is over. */
  async #readShared(query: ConsulQuery & { kind: 'service' }, options: ReadOptions): Promise<Answer> {
    const endMs = performance.now() + (options.waitMs ?? 60_000);
    const changeFeed = this.#changeFeed(query.dc);
    const release = changeFeed.hold();
    try {
      for (;;) {
        // Counted before the reading: a change that comes during it is seen by the next.
        const notification = changeFeed.beats;
        // The changeFeed is the leader's: a server that lags behind it would not know yet what it beats for.
        const answer = await this.#readPlainly(query, { ...options, consistency: 'default' });
        if (answer.index !== options.index || performance.now() >= endMs) return answer;
        await changeFeed.next(notification, { timeoutMs: endMs - performance.now(), signal: options.signal });
      }
    } finally {
      release();
    }
  }

  #changeFeed(dc: string | undefined): ChangeFeed {
    const key = dc ?? '';
    const changeFeed = this.#changeFeeds.get(key) ?? new ChangeFeed({ client: this.#client, dc, sweepMs });
    this.#changeFeeds.set(key, changeFeed);
    return changeFeed;
  }
}
