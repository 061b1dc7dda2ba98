import { performance } from 'node:perf_hooks';
import { bulkhead } from 'cockatiel';
import type { Indexed, ReadOptions } from '../client/consul-options.ts';
import type { ReadAccess } from '../model/access.ts';
import type { ConsulAnswers, ConsulQuery } from '../model/query.ts';
import { ChangeFeed } from './change-feed.ts';
import type { Reader } from './watch.ts';

type Answer = Indexed<ConsulAnswers[ConsulQuery['kind']]>;

export interface PoolLimits {
  /** How many blocking queries have a connection of their own. */
  readonly ownConnections: number;
}

/** How many reads run at a time that do not block, of each kind. */
const plainReads = 16;

/** The least time between two reads of a query that shares a connection. */
const sweepMs = 500;

/**
 * Follows any number of services over few connections. A Consul agent accepts 200 from one address (`limits.
 * http_max_conns_per_client`), and a blocking query keeps one.
 *
 * The first queries get connections of their own. Services beyond them share two: one on the names and tags of all
 * services, whose index rises when any instance comes, goes or changes, and one on all health checks. When either rises,
 * the services that share are read again, a few at a time and at most every `sweepMs`. While nothing changes in the
 * catalog, nothing is read. Services of Redis always have connections of their own, so masters never wait behind others.
 */
export class PooledReader implements Reader {
  readonly #client: Reader;
  readonly #limits: PoolLimits;
  /** Of services that may share connections, of which there may be thousands. */
  readonly #sharedReads = bulkhead(plainReads, Number.POSITIVE_INFINITY);
  readonly #otherReads = bulkhead(plainReads, Number.POSITIVE_INFINITY);
  readonly #changeFeeds = new Map<string | undefined, ChangeFeed>();
  #own = 0;

  constructor(client: Reader, limits: PoolLimits) {
    this.#client = client;
    this.#limits = limits;
  }

  async read(query: ConsulQuery, options: ReadOptions): Promise<Answer> {
    if (options.index === undefined || options.index === 0n) return this.#readPlainly(query, options);
    if (mayShare(query) && this.#own >= this.#limits.ownConnections) return this.#readShared(query, options);
    this.#own += 1;
    try {
      return await this.#client.read(query, options);
    } finally {
      this.#own -= 1;
    }
  }

  async denied(...asked: Parameters<NonNullable<Reader['denied']>>): Promise<readonly ReadAccess[]> {
    return (await this.#client.denied?.(...asked)) ?? [];
  }

  #readPlainly(query: ConsulQuery, options: ReadOptions): Promise<Answer> {
    const { index: _, ...plain } = options;
    const reads = mayShare(query) ? this.#sharedReads : this.#otherReads;
    return reads.execute(() => {
      options.signal?.throwIfAborted();
      return this.#client.read(query, plain);
    });
  }

  /** Behaves as a blocking query: answers when there is something newer, or when the wait is over. */
  async #readShared(query: ConsulQuery & { kind: 'service' }, options: ReadOptions): Promise<Answer> {
    const endMs = performance.now() + (options.waitMs ?? 60_000);
    const changeFeed = this.#changeFeed(query.dc);
    const unsubscribe = changeFeed.subscribe();
    try {
      for (;;) {
        // Taken before the read, so that a change during it causes another read.
        const { count } = changeFeed;
        // The change feed comes from the leader. A server that lags behind may not have the change yet.
        const answer = await this.#readPlainly(query, { ...options, consistency: 'default' });
        if (answer.index !== options.index || performance.now() >= endMs) return answer;
        await changeFeed.next(count, { timeoutMs: endMs - performance.now(), signal: options.signal });
      }
    } finally {
      unsubscribe();
    }
  }

  #changeFeed(dc: string | undefined): ChangeFeed {
    const changeFeed = this.#changeFeeds.get(dc) ?? new ChangeFeed({ client: this.#client, dc, sweepMs });
    this.#changeFeeds.set(dc, changeFeed);
    return changeFeed;
  }
}

function mayShare(query: ConsulQuery): query is ConsulQuery & { kind: 'service' } {
  return query.kind === 'service' && !query.service.startsWith('redis');
}
