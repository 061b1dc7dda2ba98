import type { ConsulClient } from '../client/consul.ts';
import { acquireLease } from '../consul/lock.ts';
import type { Follow, Watches } from '../consul/watches.ts';
import { rollingKey } from '../model/naming.ts';
import type { TemplateSpec } from '../model/template-spec.ts';

export type Turn =
  | { readonly kind: 'mine'; readonly leave: () => Promise<void> }
  | { readonly kind: 'wait'; readonly holders: number; readonly retryAfterMs: number };

export interface RollingQueueOptions {
  readonly client: ConsulClient;
  readonly watches: Watches;
  readonly environment: string | undefined;
  /** This node, for people who look into Consul. */
  readonly holder: string;
  /** Wakes a template that waited: somebody has left. */
  readonly wake: (name: string, hint: { readonly source: string; readonly event: string }) => void;
  /** See {@link acquireLease}. */
  readonly ttlMs?: number;
}

/** A waiting template looks again at least so often: a holder may die without anybody's being told. */
const retryAfterMs = 5_000;

/** Lets at most `limit` nodes of the fleet reload at once. A template that waits follows the queue, and is woken by it. */
export class RollingQueue {
  readonly #options: RollingQueueOptions;
  readonly #waiting = new Map<string, Follow<{ kind: 'key-tree'; prefix: string }>>();

  constructor(options: RollingQueueOptions) {
    this.#options = options;
  }

  async take(spec: TemplateSpec, signal: AbortSignal): Promise<Turn> {
    const { client, holder, environment, ttlMs } = this.#options;
    const key = rollingKey({ environment }, spec.rolling?.group ?? spec.name);
    const limit = spec.rolling?.limit ?? 1;
    const options = { client, key, limit, holder, ...(ttlMs === undefined ? {} : { ttlMs }) };
    const lease = await acquireLease(options, signal);
    if (lease.kind === 'full') {
      this.#follow(spec.name, key);
      return { kind: 'wait', holders: lease.holders, retryAfterMs };
    }
    this.#release(spec.name);
    return { kind: 'mine', leave: lease.leave };
  }

  close(): void {
    for (const name of [...this.#waiting.keys()]) this.#release(name);
  }

  #follow(name: string, key: string): void {
    if (this.#waiting.has(name)) return;
    const { watches, wake } = this.#options;
    const hint = { source: 'consul', event: 'a node has reloaded' };
    const onChange = () => wake(name, hint);
    this.#waiting.set(name, watches.follow({ kind: 'key-tree', prefix: `${key}/.holders` }, onChange));
  }

  #release(name: string): void {
    this.#waiting.get(name)?.release();
    this.#waiting.delete(name);
  }
}
