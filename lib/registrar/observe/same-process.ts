import { InstanceLink } from '../../client/instance.ts';
import { readRunId } from '../../client/instance-probe.ts';
import type { RedisAccess } from '../../client/redis-connection.ts';
import { type Address, formatAddress } from '../../model/address.ts';
import type { Identity } from '../plan/recorded-role.ts';

/** A record with more nodes than this is not searched any further. */
const mostAddresses = 32;

/**
 * Finds out which addresses lead to an instance's own process: a hostname, an address of another interface or one behind
 * NAT. INFO's run_id proves it. What was proven counts until the address leads to another process.
 */
export class SameProcess {
  readonly #access: RedisAccess;
  readonly #links = new Map<string, InstanceLink>();
  readonly #proven = new Map<string, { readonly address: Address; readonly isSame: boolean }>();
  #closed = false;

  constructor(access: RedisAccess) {
    this.#access = access;
  }

  /** What is proven so far. */
  get identity(): Identity {
    const proven = [...this.#proven.values()];
    return {
      same: proven.flatMap(({ address, isSame }) => (isSame ? [address] : [])),
      others: proven.flatMap(({ address, isSame }) => (isSame ? [] : [address])),
    };
  }

  /** Asks the servers at `addresses` for their run id, and keeps connections to these alone. */
  async prove(
    runId: string,
    asked: { readonly addresses: readonly Address[]; readonly timeoutMs: number },
  ): Promise<void> {
    // A run that is under way when its instance leaves the records ends after the connections.
    if (this.#closed) return;
    const wanted = new Map(asked.addresses.slice(0, mostAddresses).map((address) => [formatAddress(address), address]));
    for (const [key, link] of this.#links) {
      if (wanted.has(key)) continue;
      link.close();
      this.#links.delete(key);
      this.#proven.delete(key);
    }
    await Promise.all(
      [...wanted].map(async ([key, address]) => {
        const link = this.#links.get(key) ?? this.#open(key, address);
        const theirs = await readRunId(link, { timeoutMs: asked.timeoutMs });
        if (theirs === undefined || this.#links.get(key) !== link) return;
        const isSame = theirs === runId;
        // The process may have restarted since `runId` was read, so one answer does not end a proof.
        if (!isSame && this.#proven.get(key)?.isSame) this.#proven.delete(key);
        else this.#proven.set(key, { address, isSame });
      }),
    );
  }

  close(): void {
    this.#closed = true;
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
  }

  #open(key: string, address: Address): InstanceLink {
    const link = new InstanceLink({ address, access: this.#access, onLinkState: () => undefined });
    this.#links.set(key, link);
    return link;
  }
}
