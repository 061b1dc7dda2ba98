import { type RedisAccess, RedisLink } from '../client/redis.ts';
import { type Address, formatAddress } from '../model/address.ts';
import type { RoleAnswer } from '../model/sentinel.ts';

/** Connections to every Redis that may be asked for its ROLE, opened before they are needed. */
export class RoleSource {
  readonly #access: RedisAccess;
  readonly #links = new Map<string, RedisLink>();
  /** Who wants which links: an address is closed when nobody does. */
  readonly #wanted = new Map<string, ReadonlySet<string>>();

  constructor(access: RedisAccess) {
    this.#access = access;
  }

  /** From now on `owner` may ask these. */
  keep(owner: string, addresses: readonly Address[]): void {
    this.#wanted.set(owner, new Set(addresses.map(formatAddress)));
    for (const address of addresses) this.#link(address);
    const all = new Set([...this.#wanted.values()].flatMap((set) => [...set]));
    for (const [key, link] of this.#links) {
      if (all.has(key)) continue;
      this.#links.delete(key);
      link.close();
    }
  }

  ask(address: Address, options: { readonly timeoutMs: number }): Promise<RoleAnswer> {
    return this.#link(address).role(options);
  }

  close(): void {
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
    this.#wanted.clear();
  }

  #link(address: Address): RedisLink {
    const key = formatAddress(address);
    const known = this.#links.get(key);
    if (known !== undefined) return known;
    const link = new RedisLink(address, this.#access);
    this.#links.set(key, link);
    return link;
  }
}
