import { EventEmitter, once } from 'node:events';
import type { Test } from 'tap';
import type { Indexed, ReadOptions } from '../../lib/client/consul-options.ts';
import {
  CatalogWatches,
  type Follow,
  type Reader,
  type WatchEvent,
  type WatchLimits,
} from '../../lib/consul/watches.ts';
import { SwitchmasterError } from '../../lib/errors.ts';
import type { ConsulQuery } from '../../lib/model/query.ts';

const limits: Partial<WatchLimits> = { refillMs: 1, treeRefillMs: 1, pollMs: 1, backoff: { initialMs: 1, maxMs: 2 } };

interface Request {
  readonly query: ConsulQuery;
  readonly options: ReadOptions;
  answer(value: unknown, index: number, extra?: Partial<Indexed<unknown>>): void;
  fail(): void;
}

/** A reader whose requests wait until the test answers them. */
export class Script implements Reader {
  readonly #arrivals = new EventEmitter();
  readonly #waiting: Request[] = [];
  count = 0;

  read(query: ConsulQuery, options: ReadOptions): Promise<never> {
    this.count += 1;
    return new Promise((resolve, reject) => {
      options.signal?.addEventListener('abort', () => reject(options.signal?.reason));
      this.#waiting.push({
        query,
        options,
        answer: (value, index, extra) =>
          resolve({ value, index: BigInt(index), knownLeader: true, lastContactMs: 0, ...extra } as never),
        fail: () => reject(new SwitchmasterError('consul-unreachable', 'refused')),
      });
      this.#arrivals.emit('request');
    });
  }

  async next(): Promise<Request> {
    while (this.#waiting.length === 0) await once(this.#arrivals, 'request');
    return this.#waiting.shift() as Request;
  }
}

/** Watches of a scripted Consul, until the test ends. */
export function start(t: Test, more: Partial<WatchLimits> = {}): { script: Script; watches: CatalogWatches } {
  const script = new Script();
  const watches = new CatalogWatches({ client: script, limits: { ...limits, ...more } });
  t.teardown(() => watches.close());
  return { script, watches };
}

export const query = { kind: 'key-tree', prefix: 'a/' } as const;

/** Follows `query`, and lists the events. */
export function hear(watches: CatalogWatches): { follow: Follow<typeof query>; heard: readonly WatchEvent[] } {
  const heard: WatchEvent[] = [];
  return { follow: watches.follow(query, (event) => heard.push(event)), heard };
}
