import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { RedisLink } from '../client/redis.ts';
import type { RedisAccess } from '../client/redis-connection.ts';
import type { Address } from '../model/address.ts';

/** The key that a drill writes to. The drill deletes it at the end; it expires after a minute. */
export function drillKey(name: string): string {
  return `switchmaster:drill:${name}`;
}

const intervalMs = 5;
const timeoutMs = 2_000;

/** One acknowledged write. */
export interface Accepted {
  readonly value: string;
  readonly atMs: number;
}

/**
 * A client that writes continuously over one connection, and keeps the acknowledged writes. Each write is one element of a
 * list, so that the drill can look for each of them at the new master.
 */
export class DrillWriter {
  readonly accepted: Accepted[] = [];
  readonly #link: RedisLink;
  readonly #writing: Promise<void>;
  readonly #stop = new AbortController();
  readonly #first = Promise.withResolvers<void>();

  constructor(options: {
    readonly address: Address;
    readonly access: RedisAccess;
    readonly key: string;
    readonly mark: string;
  }) {
    this.#link = new RedisLink(options.address, options.access);
    this.#first.promise.catch(() => {});
    this.#writing = this.#write(options);
  }

  /** Resolves with the first acknowledged write; rejects with the first error that comes before it. */
  get ready(): Promise<void> {
    return this.#first.promise;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#writing;
    this.#link.close();
  }

  async #write({ key, mark }: { readonly key: string; readonly mark: string }): Promise<void> {
    for (let count = 0; !this.#stop.signal.aborted; count += 1) {
      const value = `${mark}:${count}`;
      try {
        await this.#link.call(['RPUSH', key, value], { timeoutMs });
        this.accepted.push({ value, atMs: performance.now() });
        this.#first.resolve();
        if (count % 100 === 0) await this.#link.call(['EXPIRE', key, 60], { timeoutMs });
      } catch (thrown) {
        // The write was refused or not answered, or there is no connection. The next write tries again, as a client does.
        this.#first.reject(thrown);
      }
      await delay(intervalMs, undefined, { signal: this.#stop.signal }).catch(() => {});
    }
  }
}

/** The longest time without an acknowledged write, and its end. */
export function longestGap(
  accepted: readonly Accepted[],
): { readonly gapMs: number; readonly endedAtMs: number } | undefined {
  let longest: { gapMs: number; endedAtMs: number } | undefined;
  for (const [i, { atMs }] of accepted.entries()) {
    const before = accepted[i - 1];
    if (before === undefined) continue;
    const gapMs = atMs - before.atMs;
    if (longest === undefined || gapMs > longest.gapMs) longest = { gapMs, endedAtMs: atMs };
  }
  return longest;
}

/** Returns the acknowledged writes that the new master lacks, and deletes the key. */
export async function settleWrites(
  accepted: readonly Accepted[],
  { address, access, key }: { readonly address: Address; readonly access: RedisAccess; readonly key: string },
): Promise<readonly string[]> {
  const link = new RedisLink(address, access);
  try {
    const list = await link.call(['LRANGE', key, 0, -1], { timeoutMs });
    const found = new Set(Array.isArray(list) ? list.map(String) : []);
    await link.call(['DEL', key], { timeoutMs });
    return accepted.map(({ value }) => value).filter((value) => !found.has(value));
  } finally {
    link.close();
  }
}
