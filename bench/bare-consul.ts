import { transactionOf, transactionSender } from './bare-transaction.ts';

type Address = { readonly host: string; readonly port: number };

/** Writes what a bridge writes at a failover, below other names, over one open connection. */
export class BareConsul {
  readonly #put: ReturnType<typeof transactionSender>;
  readonly #indexes = new Map<string, number>();

  constructor(consul: Address) {
    this.#put = transactionSender(consul, { connections: 1 });
  }

  /** Opens the connection. */
  async warm(): Promise<void> {
    await this.#put([{ KV: { Verb: 'set', Key: 'bare/warm', Value: '' } }]);
  }

  /**
   * One transaction, by compare-and-set on the record that it wrote last. Returns when Consul had committed it: milliseconds of
   * `performance.now()`.
   */
  async publish(name: string, to: { readonly master: Address; readonly old: Address }): Promise<number> {
    const body = await this.#put(transactionOf(name, { ...to, index: this.#indexes.get(name) ?? 0 }));
    const committedMs = performance.now();
    const { Results } = JSON.parse(body) as { Results: { KV?: { Key: string; ModifyIndex: number } }[] };
    this.#indexes.set(name, Results[0]?.KV?.ModifyIndex ?? 0);
    return committedMs;
  }
}
