import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { Lease } from '../consul/lock.ts';
import { SwitchmasterError } from '../errors.ts';
import type { CrashEndKind } from '../model/crash-end.ts';
import type { CrashEvidence, LastOrder, OrderClaim } from './evidence.ts';
import { everyMs } from './pace.ts';

export interface CrashLeaseOptions {
  /** Lets one bridge at a time order failovers. */
  readonly steering: { enter(name: string, signal: AbortSignal): Promise<Lease> };
  readonly evidence: CrashEvidence;
}

interface LeaseRequest extends CrashLeaseOptions {
  /** A note of this bridge that led to no order. It still counts, and is no order, unless another one replaced it. */
  readonly unused: OrderClaim | undefined;
  /** The lease is held. */
  readonly onNews: () => void;
}

interface MissingLease {
  readonly end: CrashEndKind;
  readonly why: string;
}

const heldElsewhere: MissingLease = { end: 'consul', why: 'another bridge holds the lease for a failover' };

const retryMs = 50;

/**
 * The right to order a failover, requested while the proof is not complete yet, because Consul takes some milliseconds for
 * it. The last order is read at the same time. If another bridge notes one in between, it is first: {@link claim} replaces only the
 * order that was read.
 */
export class CrashLease {
  readonly #abort = new AbortController();
  readonly #running: Promise<void>;
  #lease: Extract<Lease, { kind: 'inside' }> | undefined;
  #last: LastOrder | undefined;
  readonly #name: string;
  readonly #evidence: CrashEvidence;
  #claim: OrderClaim | undefined;
  #lateMs: number | undefined;
  #missing: MissingLease = { end: 'consul', why: 'Consul has not given the lease for a failover yet' };

  constructor(name: string, options: LeaseRequest) {
    this.#name = name;
    this.#evidence = options.evidence;
    this.#running = this.#take(name, options);
  }

  /** The last order, as soon as this bridge holds the lease; else why it does not. */
  get state(): { readonly kind: 'held'; readonly last: LastOrder } | ({ readonly kind: 'missing' } & MissingLease) {
    return this.#last === undefined ? { kind: 'missing', ...this.#missing } : { kind: 'held', last: this.#last };
  }

  /** Whether another bridge holds it, as one that orders does. */
  get isHeldElsewhere(): boolean {
    return this.#last === undefined && this.#missing === heldElsewhere;
  }

  /** The note in Consul; undefined before one was written. */
  get claimed(): OrderClaim | undefined {
    return this.#claim;
  }

  /**
   * Notes the order in Consul, once, before it is given. `late`: Consul took longer than the rest between two attempts to connect, so
   * the proof is older than it may be. `lost`: another bridge was first.
   */
  async claim(facts: object): Promise<'noted' | 'late' | 'lost'> {
    const startedMs = performance.now();
    if (this.#last === undefined) return 'lost';
    this.#claim ??= await this.#evidence.claimOrder(this.#name, { last: this.#last, facts });
    if (this.#claim === undefined) return 'lost';
    const nowMs = performance.now();
    if (nowMs - startedMs <= everyMs) return 'noted';
    this.#lateMs = nowMs;
    return 'late';
  }

  /** When Consul had taken a note late; undefined where it has not. A proof that must begin again takes its time from then on. */
  get lateMs(): number | undefined {
    return this.#lateMs;
  }

  /** Gives it back. Never rejects. */
  async leave(): Promise<void> {
    this.#abort.abort();
    await this.#running;
    await this.#lease?.leave();
  }

  async #take(name: string, { steering, evidence, unused, onNews }: LeaseRequest): Promise<void> {
    const { signal } = this.#abort;
    const read = () => evidence.lastOrder(name, signal);
    // Later attempts usually find that another bridge holds the lease. And nothing but the last order under the lease shows that nobody
    // has replaced an unused note: it is not written again.
    let reading: Promise<LastOrder> | undefined = unused === undefined ? read() : undefined;
    while (!signal.aborted) {
      try {
        reading?.catch(() => undefined);
        const lease = await steering.enter(name, signal);
        if (lease.kind === 'inside') {
          this.#lease = lease;
          const last = await (reading?.catch(read) ?? read());
          if (unused?.index === last.index) this.#claim = unused;
          this.#last = this.#claim?.before ?? last;
          onNews();
          return;
        }
        reading = undefined;
        this.#missing = heldElsewhere;
      } catch (thrown) {
        const { code, message } = SwitchmasterError.from(thrown);
        const why = `Consul does not give the lease for a failover: ${message}`;
        this.#missing = { end: code === 'consul-denied' ? 'right-missing' : 'consul', why };
        if (this.#lease !== undefined) return;
        reading = undefined;
      }
      await delay(retryMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
