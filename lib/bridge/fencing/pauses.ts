import { performance } from 'node:perf_hooks';
import { type Address, formatAddress } from '../../model/address.ts';
import type { PauseReason } from './plan.ts';

interface Pause {
  readonly name: string;
  readonly address: Address;
  /** When it ends by itself, in milliseconds of `performance.now()`. */
  readonly endsMs: number;
}

/** The servers that this bridge has paused, so that it can release one that becomes master again. */
export class Pauses {
  readonly #byAddress = new Map<string, Pause>();
  /** When the bridge renewed the pause of a former master first, by address, in milliseconds of `performance.now()`. */
  readonly #sinceMs: Readonly<Record<PauseReason, Map<string, number>>> = {
    'stale-master': new Map(),
    failover: new Map(),
  };

  /** When a former master last answered as a master, by address, in milliseconds of `performance.now()`. */
  readonly #heardMs = new Map<string, number>();

  begin(name: string, { address, pauseMs }: { readonly address: Address; readonly pauseMs: number }): void {
    this.#byAddress.set(formatAddress(address), { name, address, endsMs: performance.now() + pauseMs });
  }

  /** The pause of a former master was renewed, or begun where the change of master had paused nothing. */
  renew(address: Address, reason: PauseReason): void {
    const key = formatAddress(address);
    if (!this.#sinceMs[reason].has(key)) this.#sinceMs[reason].set(key, performance.now());
  }

  /** It was released or made a replica. */
  end(address: Address): void {
    this.#byAddress.delete(formatAddress(address));
  }

  /** It answers as a master. */
  heard(address: Address): void {
    this.#heardMs.set(formatAddress(address), performance.now());
  }

  /** Whether it has answered as a master within `withinMs`. */
  wasHeard(address: Address, withinMs: number): boolean {
    return (this.#heardMs.get(formatAddress(address)) ?? Number.NEGATIVE_INFINITY) > performance.now() - withinMs;
  }

  /** It is no stale master any more. */
  forget(address: Address): void {
    this.#heardMs.delete(formatAddress(address));
    for (const since of Object.values(this.#sinceMs)) since.delete(formatAddress(address));
  }

  /** Whether the bridge has paused it and not released it, also if the pause has ended by itself. */
  has(address: Address): boolean {
    return this.#byAddress.has(formatAddress(address));
  }

  /** Whether its writes wait now, and for `forMs` more. Where `forMs` is negative: whether they waited so long ago. */
  isWaiting(address: Address, forMs = 0): boolean {
    return (
      (this.#byAddress.get(formatAddress(address))?.endsMs ?? Number.NEGATIVE_INFINITY) > performance.now() + forMs
    );
  }

  /** The servers of a master whose pauses have not ended by themselves. */
  lasting(name: string): readonly Address[] {
    const own = [...this.#byAddress.values()].filter((pause) => pause.name === name);
    return own.map(({ address }) => address).filter((address) => this.isWaiting(address));
  }

  /** For how long the pause of each former master has been renewed, by `host:port`. */
  durationsMs(reason: PauseReason): ReadonlyMap<string, number> {
    const nowMs = performance.now();
    return new Map([...this.#sinceMs[reason]].map(([address, sinceMs]) => [address, nowMs - sinceMs]));
  }
}
