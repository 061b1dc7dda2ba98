import { type Address, formatAddress } from '../model/address.ts';
import type { RoleAnswer } from '../model/sentinel.ts';
import { type RedisAccess, RedisLink } from './redis.ts';

export interface RedisPoolHooks {
  /** A connection was made, or made again: whoever answers there now may have been restarted. */
  readonly onUp?: (address: Address, owners: readonly string[]) => void;
  /** What `refusals` or `unreached` answers for these owners has changed. */
  readonly onStanding?: (owners: readonly string[]) => void;
}

/** A server that does not let us in, or cannot be reached. */
export interface Refusal {
  readonly address: Address;
  /** `NOAUTH Authentication required.` */
  readonly says: string;
}

const greetingTimeoutMs = 2_000;

/** Connections to every Redis that may be asked for its ROLE, or fenced, opened before they are needed. */
export class RedisPool {
  readonly #access: RedisAccess;
  readonly #hooks: RedisPoolHooks;
  #closed = false;
  readonly #links = new Map<string, RedisLink>();
  /** Who wants which links: an address is closed when nobody does. */
  readonly #wanted = new Map<string, ReadonlySet<string>>();

  constructor(access: RedisAccess, hooks: RedisPoolHooks = {}) {
    this.#access = access;
    this.#hooks = hooks;
  }

  /** From now on `owner` may ask these. */
  keep(owner: string, addresses: readonly Address[]): void {
    if (this.#closed) return;
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

  /** Who refuses us of those that `owner` wants, and in which words. */
  refusals(owner: string): readonly Refusal[] {
    return this.#linksOf(owner).flatMap(({ address, refusal }) =>
      refusal === undefined ? [] : [{ address, says: refusal }],
    );
  }

  /** To whom of those that `owner` wants there has never been a connection, and why. */
  unreached(owner: string): readonly Refusal[] {
    return this.#linksOf(owner).flatMap(({ address, unreached }) =>
      unreached === undefined ? [] : [{ address, says: unreached }],
    );
  }

  /** For good: who asks later gets no answer, and opens nothing that nobody would close. */
  close(): void {
    this.#closed = true;
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
    this.#wanted.clear();
  }

  #linksOf(owner: string): readonly RedisLink[] {
    return [...(this.#wanted.get(owner) ?? [])].flatMap((key) => this.#links.get(key) ?? []);
  }

  #ownersOf(key: string): readonly string[] {
    return [...this.#wanted].filter(([, addresses]) => addresses.has(key)).map(([owner]) => owner);
  }

  #link(address: Address): RedisLink {
    const key = formatAddress(address);
    const known = this.#links.get(key);
    if (known !== undefined) return known;
    const { onUp, onStanding } = this.#hooks;
    const link: RedisLink = new RedisLink(address, this.#access, {
      onUp: () => {
        // Whether it lets us in is to be known before a failover needs it.
        void link.role({ timeoutMs: greetingTimeoutMs });
        onUp?.(address, this.#ownersOf(key));
      },
      onStanding: () => onStanding?.(this.#ownersOf(key)),
    });
    if (this.#closed) link.close();
    else this.#links.set(key, link);
    return link;
  }
}
