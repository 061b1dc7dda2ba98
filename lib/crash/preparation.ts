import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { OrderClaim } from './evidence.ts';
import { CrashLease, type CrashLeaseOptions } from './lease.ts';
import { restAfterReadingMs } from './pace.ts';

interface PreparationOptions extends CrashLeaseOptions {
  /** Asks the servers around the master once, and returns what takes in their answers. */
  readonly readOthers: () => Promise<() => void>;
  /** The lease is held, or answers were taken in. */
  readonly onNews: () => void;
  /** A claim of an earlier preparation that led to no order. */
  readonly unused: OrderClaim | undefined;
}

/** What a bridge needs for an order, requested from the first sign of a crash on: the lease, and answers of the servers around. */
export class Preparation {
  readonly lease: CrashLease;
  readonly #stop = new AbortController();
  readonly #reading: Promise<void>;

  constructor(name: string, options: PreparationOptions) {
    this.lease = new CrashLease(name, options);
    this.#reading = this.#read(options).catch(() => undefined);
  }

  /** From now on, no answer is taken in. Resolves when none comes any more. The lease may take longer: Consul may hang. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#reading;
  }

  async #read({ readOthers, onNews }: PreparationOptions): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const startedMs = performance.now();
      const take = await readOthers();
      if (signal.aborted) return;
      take();
      onNews();
      await delay(restAfterReadingMs(performance.now() - startedMs), undefined, { ref: false, signal });
    }
  }
}
