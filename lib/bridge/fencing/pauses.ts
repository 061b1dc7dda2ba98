import { performance } from 'node:perf_hooks';
import { type Address, formatAddress } from '../../model/address.ts';

interface Pause {
  readonly name: string;
  readonly address: Address;
  /** When it ends by itself, in milliseconds of `performance.now()`. */
  readonly endsMs: number;
}

/** The servers that this bridge has paused, so that it can release one that becomes master again. */
export class Pauses {
  readonly #byAddress = new Map<string, Pause>();
  /** When the bridge paused a stale master first, by address, in milliseconds of `performance.now()`. */
  readonly #sinceMs = new Map<string, number>();

  begin(name: string, { address, pauseMs }: { readonly address: Address; readonly pauseMs: number }): void {
    this.#byAddress.set(formatAddress(address), { name, address, endsMs: performance.now() + pauseMs });
  }

  /** The pause of a stale master was begun or renewed. */
  renew(address: Address): void {
    const key = formatAddress(address);
    if (!this.#sinceMs.has(key)) this.#sinceMs.set(key, performance.now());
  }

  /** It was released or made a replica. */
  end(address: Address): void {
    this.#byAddress.delete(formatAddress(address));
  }

  /** It is no stale master any more. */
  forget(address: Address): void {
    this.#sinceMs.delete(formatAddress(address));
  }

  /** Whether the bridge has paused it and not released it, also if the pause has ended by itself. */
  has(address: Address): boolean {
    return this.#byAddress.has(formatAddress(address));
  }

  /** Whether its writes wait now, and for `forMs` more. */
  isWaiting(address: Address, forMs = 0): boolean {
    return (this.#byAddress.get(formatAddress(address))?.endsMs ?? 0) > performance.now() + forMs;
  }

  /** The servers of a master whose pauses have not ended by themselves. */
  lasting(name: string): readonly Address[] {
    const own = [...this.#byAddress.values()].filter((pause) => pause.name === name);
    return own.map(({ address }) => address).filter((address) => this.isWaiting(address));
  }

  /** For how long the pause of each stale master has been renewed, by `host:port`. */
  durationsMs(): ReadonlyMap<string, number> {
    const nowMs = performance.now();
    return new Map([...this.#sinceMs].map(([address, sinceMs]) => [address, nowMs - sinceMs]));
  }
}
