import { performance } from 'node:perf_hooks';
import type { ReadOptions } from '../client/consul-options.ts';
import type { ReadAccess } from '../model/access.ts';
import type { ConsulQuery } from '../model/query.ts';
import type { Reader } from './watch.ts';

/** A reader that knows when Consul's servers last answered it. */
export class HeardReader implements Reader {
  readonly #reader: Reader;
  #heardMs = Number.NEGATIVE_INFINITY;

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  /** In milliseconds of `performance.now()`. Answers of the agent itself, and of servers without a leader, do not count. */
  get heardMs(): number {
    return this.#heardMs;
  }

  async read(query: ConsulQuery, options: ReadOptions): ReturnType<Reader['read']> {
    const answer = await this.#reader.read(query, options);
    if (isOfServers(query) && answer.knownLeader && answer.streamed !== true) this.#heardMs = performance.now();
    return answer;
  }

  async denied(
    access: readonly ReadAccess[],
    options: { dc?: string; signal?: AbortSignal },
  ): Promise<readonly ReadAccess[]> {
    return (await this.#reader.denied?.(access, options)) ?? [];
  }
}

/** Agents answer other queries by themselves, or ask servers elsewhere. */
function isOfServers(query: ConsulQuery): boolean {
  return (query.kind === 'key' || query.kind === 'key-tree') && query.dc === undefined;
}
