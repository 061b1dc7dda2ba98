import { setTimeout as delay } from 'node:timers/promises';
import { CrashLease, type CrashLeaseOptions } from './lease.ts';

const everyMs = 20;

/** What a bridge needs for an order, requested from the first sign of a crash on: the lease, and answers of the servers around. */
export class Preparation {
  readonly lease: CrashLease;
  readonly #stop = new AbortController();
  readonly #reading: Promise<void>;

  /** `readOthers` asks the servers around the master once. */
  constructor(name: string, options: CrashLeaseOptions & { readonly readOthers: () => Promise<void> }) {
    this.lease = new CrashLease(name, options);
    this.#reading = this.#read(options.readOthers).catch(() => undefined);
  }

  /** Resolves when no answer comes any more. The lease may take longer: Consul may hang. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#reading;
  }

  async #read(readOthers: () => Promise<void>): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await readOthers();
      await delay(everyMs, undefined, { ref: false, signal });
    }
  }
}
