import type { ConsulClient } from '../client/consul.ts';
import { acquireLease, countHolders, type Lease, type SemaphoreOptions } from '../consul/lock.ts';
import { SharedSession } from '../consul/shared-session.ts';
import { type Naming, steeringKey, steeringPrefix } from '../model/naming.ts';

/** How long a bridge that died keeps others from ordering, at least. Consul permits 10,000 and more. */
const ttlMs = 10_000;

/** Lets one bridge at a time order failovers of a master. The leases of many masters that crash at once share a session. */
export class Steering {
  readonly #options: { readonly client: ConsulClient; readonly naming: Naming; readonly bridgeId: string };

  readonly #sessions: SharedSession;
  /** The masters for which this bridge holds the lease, or tries to take it or to give it back. */
  readonly #taken = new Set<string>();

  constructor(options: { readonly client: ConsulClient; readonly naming: Naming; readonly bridgeId: string }) {
    const { client, naming, bridgeId } = options;
    this.#options = options;
    const name = `${steeringPrefix(naming).replace(/\/$/, '')} (${bridgeId})`;
    this.#sessions = new SharedSession({ client, name, ttlMs });
  }

  async enter(name: string, signal: AbortSignal): Promise<Lease> {
    // Of two attempts with one session, one that fails would give the lease of the other back.
    if (this.#taken.has(name)) return { kind: 'full', holders: 1 };
    this.#taken.add(name);
    const end = () => this.#taken.delete(name);
    const lease = await acquireLease(this.#semaphoreOf(name), signal).catch((thrown: unknown) => {
      end();
      throw thrown;
    });
    if (lease.kind === 'inside') return { ...lease, leave: () => lease.leave().finally(end) };
    end();
    return lease;
  }

  /** How many bridges hold it. */
  holders(name: string, signal: AbortSignal): Promise<number> {
    return countHolders(this.#semaphoreOf(name), signal);
  }

  /** After the last attempt. Ends the session as soon as no lease is held. */
  stop(): Promise<void> {
    return this.#sessions.stop();
  }

  #semaphoreOf(name: string): SemaphoreOptions {
    const { client, naming, bridgeId: holder } = this.#options;
    return { client, key: steeringKey(naming, name), limit: 1, holder, ttlMs, sessions: this.#sessions };
  }
}
