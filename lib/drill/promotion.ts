import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { RedisLink } from '../client/redis.ts';
import type { RedisAccess } from '../client/redis-connection.ts';
import type { Address } from '../model/address.ts';
import type { Accepted } from './writer.ts';

const pollMs = 2;
const timeoutMs = 2_000;

/** All times are performance.now() of the drill. */
export interface Promotion extends Accepted {
  /** The new master was a replica until then: it answered so to a request that was sent then. */
  readonly notBeforeMs: number;
}

/**
 * Asks every replica for its role until one is a master, and writes to that one. Everything that a drill measures is compared with
 * its times, so that no stage belongs to a moment before the promotion.
 */
export class PromotionWatch {
  /** The first acknowledged write to the new master. Rejects if it is aborted before. */
  readonly written: Promise<Promotion>;
  /** When each replica was last known to be one. */
  readonly #replicaAtMs = new Map<RedisLink, number>();
  readonly #signal: AbortSignal;
  #notBeforeMs: number | undefined;

  constructor(
    replicas: readonly Address[],
    options: {
      readonly access: RedisAccess;
      readonly key: string;
      readonly mark: string;
      readonly signal: AbortSignal;
    },
  ) {
    this.#signal = options.signal;
    for (const address of replicas) this.#replicaAtMs.set(new RedisLink(address, options.access), performance.now());
    this.written = this.#race(options);
    this.written.catch(() => {});
  }

  /** Whether what happened at this time can follow from the promotion. Waits until that is known. */
  async precedes(atMs: number): Promise<boolean> {
    for (;;) {
      if (this.#notBeforeMs !== undefined) return this.#notBeforeMs <= atMs;
      if ([...this.#replicaAtMs.values()].every((replicaAtMs) => replicaAtMs >= atMs)) return false;
      await delay(pollMs, undefined, { signal: this.#signal });
    }
  }

  async #race(options: { readonly key: string; readonly mark: string }): Promise<Promotion> {
    const links = [...this.#replicaAtMs.keys()];
    try {
      return await Promise.any(links.map((link) => this.#follow(link, options)));
    } finally {
      for (const link of links) link.close();
    }
  }

  async #follow(link: RedisLink, { key, mark }: { readonly key: string; readonly mark: string }): Promise<Promotion> {
    const value = `${mark}:direct`;
    for (;;) {
      await delay(pollMs, undefined, { signal: this.#signal });
      const askedAtMs = performance.now();
      const role = await link.role({ timeoutMs }).then(
        (answer) => answer.role,
        () => undefined,
      );
      if (role === 'replica') this.#replicaAtMs.set(link, askedAtMs);
      // Write to a master only: a replica may accept writes too.
      if (role !== 'master') continue;
      const notBeforeMs = this.#replicaAtMs.get(link) ?? 0;
      this.#notBeforeMs ??= notBeforeMs;
      const written = await link.call(['RPUSH', key, value], { timeoutMs }).catch(() => undefined);
      if (written !== undefined) return { value, atMs: performance.now(), notBeforeMs };
    }
  }
}

/** The first write that the new master can have acknowledged: the old one was paused when the new one was promoted. */
export function firstAfter(
  accepted: readonly Accepted[],
  promotion: Pick<Promotion, 'notBeforeMs'> | undefined,
): Accepted | undefined {
  return promotion === undefined ? undefined : accepted.find(({ atMs }) => atMs >= promotion.notBeforeMs);
}
