import { setTimeout as delay } from 'node:timers/promises';
import type { Lease } from '../consul/lock.ts';
import type { CrashEvidence, LastOrder } from './evidence.ts';

export interface CrashLeaseOptions {
  /** Lets one bridge at a time order failovers. */
  readonly steering: { enter(name: string, signal: AbortSignal): Promise<Lease> };
  readonly evidence: CrashEvidence;
}

const retryMs = 50;

/**
 * The right to order a failover, requested while the proof is not complete yet, because Consul takes some milliseconds for
 * it. `last` is read under the lease, so that no other bridge orders in between.
 */
export class CrashLease {
  readonly #abort = new AbortController();
  readonly #running: Promise<void>;
  #lease: Extract<Lease, { kind: 'inside' }> | undefined;
  #last: LastOrder | undefined;
  readonly #name: string;
  readonly #evidence: CrashEvidence;
  #claimed = false;
  #why = 'Consul has not given the lease for a failover yet';

  constructor(name: string, options: CrashLeaseOptions) {
    this.#name = name;
    this.#evidence = options.evidence;
    this.#running = this.#take(name, options);
  }

  /** The last order, as soon as this bridge holds the lease; else why it does not. */
  get state():
    | { readonly kind: 'held'; readonly last: LastOrder }
    | { readonly kind: 'missing'; readonly why: string } {
    return this.#last === undefined ? { kind: 'missing', why: this.#why } : { kind: 'held', last: this.#last };
  }

  /** Notes the order in Consul, once, before it is given. False where another bridge was first. */
  async claim(facts: object): Promise<boolean> {
    if (this.#last === undefined) return false;
    this.#claimed ||= await this.#evidence.claimOrder(this.#name, { last: this.#last, facts });
    return this.#claimed;
  }

  /** Gives it back. Never rejects. */
  async leave(): Promise<void> {
    this.#abort.abort();
    await this.#running;
    await this.#lease?.leave();
  }

  async #take(name: string, { steering, evidence }: CrashLeaseOptions): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      try {
        const lease = await steering.enter(name, signal);
        if (lease.kind === 'inside') {
          this.#lease = lease;
          this.#last = await evidence.lastOrder(name, signal);
          return;
        }
        this.#why = 'another bridge holds the lease for a failover';
      } catch (thrown) {
        this.#why = `Consul does not give the lease for a failover: ${thrown instanceof Error ? thrown.message : thrown}`;
        if (this.#lease !== undefined) return;
      }
      await delay(retryMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
