import type { Address } from '../lib/model/address.ts';
import { nowMs } from '../test/sandbox/recorder.ts';
import { RespConnection } from '../test/sandbox/resp.ts';

/** How long a write may take before it counts as failed. */
const writeTimeoutMs = 250;
const pauseMs = 2;

/**
 * An application that keeps writing one key through a proxy, with one connection that it opens again when it breaks.
 * `acceptedAt` and `failedAt` are milliseconds since 1970.
 */
export class Writer {
  readonly name: string;
  readonly acceptedAt: number[] = [];
  readonly failedAt: number[] = [];
  readonly #target: Address;
  readonly #key: string;
  readonly #done: Promise<void>;
  #connection: RespConnection | undefined;
  #running = true;

  constructor(options: { readonly name: string; readonly target: Address; readonly key: string }) {
    this.name = options.name;
    this.#target = options.target;
    this.#key = options.key;
    this.#done = this.#run();
  }

  /** The first write that was accepted after `sinceMs`. */
  firstAcceptedAfter(sinceMs: number): number | undefined {
    return this.acceptedAt.find((at) => at > sinceMs);
  }

  failedSince(sinceMs: number): number {
    return this.failedAt.filter((at) => at > sinceMs).length;
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
    this.#connection?.close();
  }

  async #run(): Promise<void> {
    for (let count = 0; this.#running; count += 1) {
      try {
        this.#connection ??= await RespConnection.open(this.#target, { timeoutMs: writeTimeoutMs });
        await this.#connection.command('SET', this.#key, String(count));
        this.acceptedAt.push(nowMs());
      } catch {
        this.failedAt.push(nowMs());
        this.#connection?.close();
        this.#connection = undefined;
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}
