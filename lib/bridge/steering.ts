import type { ConsulClient } from '../client/consul.ts';
import { acquireLease, countHolders, type Lease, type SemaphoreOptions } from '../consul/lock.ts';
import { type Naming, steeringKey } from '../model/naming.ts';

/** Lets one bridge at a time order failovers of a master. */
export class Steering {
  readonly #options: { readonly client: ConsulClient; readonly naming: Naming; readonly bridgeId: string };

  constructor(options: { readonly client: ConsulClient; readonly naming: Naming; readonly bridgeId: string }) {
    this.#options = options;
  }

  enter(name: string, signal: AbortSignal): Promise<Lease> {
    return acquireLease(this.#semaphoreOf(name), signal);
  }

  /** How many bridges hold it. */
  holders(name: string, signal: AbortSignal): Promise<number> {
    return countHolders(this.#semaphoreOf(name), signal);
  }

  #semaphoreOf(name: string): SemaphoreOptions {
    const { client, naming, bridgeId: holder } = this.#options;
    return { client, key: steeringKey(naming, name), limit: 1, holder };
  }
}
