import { type Address, formatAddress } from '../model/address.ts';
import type { RoleAnswer } from '../model/sentinel.ts';
import { type RedisAccess, RedisLink } from './redis.ts';

/** Connections to every Redis that may be asked for its ROLE, or fenced, opened before they are needed. */
export class RedisPool {
  readonly #access: RedisAccess;
  readonly #onUp: (address: Address, owners: readonly string[]) => void;
  readonly #links = new Map<string, RedisLink>();
  /** Who wants which links: an address is closed when nobody does. */
  readonly #wanted = new Map<string, ReadonlySet<string>>();

  /** `onUp`: a connection was made, or made again: whoever answers there now may have been restarted. */
  constructor(access: RedisAccess, onUp: (address: Address, owners: readonly string[]) => void = () => {}) {
    this.#access = access;
    this.#onUp = onUp;
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

  /** ROLE; being unreachable is an answer. */
  role(address: Address, options: { readonly timeoutMs: number }): Promise<RoleAnswer> {
    return this.#link(address).role(options);
  }

  /** Sends a command only if the connection stands: one that changes the world must not be carried out later. */
  command(
    address: Address,
    commands: readonly (readonly [string, ...(string | number)[]])[],
    options: { readonly timeoutMs: number },
  ): Promise<readonly unknown[]> {
    return this.#link(address).callNow(commands, options);
  }

  close(): void {
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
    this.#wanted.clear();
  }

  #ownersOf(key: string): readonly string[] {
    return [...this.#wanted].filter(([, addresses]) => addresses.has(key)).map(([owner]) => owner);
  }

  #link(address: Address): RedisLink {
    const key = formatAddress(address);
    const known = this.#links.get(key);
    if (known !== undefined) return known;
    const link = new RedisLink(address, this.#access, () => this.#onUp(address, this.#ownersOf(key)));
    this.#links.set(key, link);
    return link;
  }
}
