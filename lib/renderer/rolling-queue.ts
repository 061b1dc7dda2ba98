import type { ConsulClient } from '../client/consul.ts';
import { acquireLease } from '../consul/lock.ts';
import type { Follow, Watches } from '../consul/watches.ts';
import { rollingKey } from '../model/naming.ts';
import type { RollingSpec } from '../model/template-spec.ts';
import type { Wake } from './hint.ts';

/** A place among the nodes that may reload, or the wait for one. */
export type Place =
  | { readonly kind: 'mine'; readonly leave: () => Promise<void> }
  | { readonly kind: 'wait'; readonly holders: number; readonly retryAfterMs: number };

export interface RollingQueueOptions {
  readonly client: ConsulClient;
  readonly watches: Watches;
  readonly environment: string | undefined;
  /** This node's name, for people who read the keys in Consul. */
  readonly holder: string;
  /** Wakes a waiting template when a node has left. */
  readonly wake: Wake;
  /** See {@link acquireLease}. */
  readonly ttlMs?: number;
}

/** How often a waiting template tries again. Nothing reports a holder that died. */
const retryAfterMs = 5_000;

/** Lets at most `limit` nodes of a group reload at once. A waiting template watches the queue and is woken by it. */
export class RollingQueue {
  readonly #options: RollingQueueOptions;
  readonly #waiting = new Map<string, Follow<{ kind: 'key-tree'; prefix: string }>>();

  constructor(options: RollingQueueOptions) {
    this.#options = options;
  }

  async take(template: { readonly name: string; readonly rolling: RollingSpec }, signal: AbortSignal): Promise<Place> {
    const { client, holder, environment, ttlMs } = this.#options;
    const { limit, group } = template.rolling;
    const key = rollingKey({ environment }, group);
    const options = { client, key, limit, holder, ...(ttlMs === undefined ? {} : { ttlMs }) };
    const lease = await acquireLease(options, signal);
    if (lease.kind === 'full') {
      this.#follow(template.name, key);
      return { kind: 'wait', holders: lease.holders, retryAfterMs };
    }
    this.#release(template.name);
    return { kind: 'mine', leave: lease.leave };
  }

  async close(): Promise<void> {
    for (const name of [...this.#waiting.keys()]) this.#release(name);
  }

  #follow(name: string, key: string): void {
    if (this.#waiting.has(name)) return;
    const { watches, wake } = this.#options;
    const onChange = () => wake(name, { source: 'consul', event: 'a node has reloaded' });
    this.#waiting.set(name, watches.follow({ kind: 'key-tree', prefix: `${key}/.holders` }, onChange));
  }

  #release(name: string): void {
    this.#waiting.get(name)?.release();
    this.#waiting.delete(name);
  }
}
