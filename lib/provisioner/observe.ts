import type { RedisAccess } from '../client/redis.ts';
import { SentinelMonitoringLink } from '../client/sentinel-monitoring.ts';
import type { CatalogWatches, Follow } from '../consul/watches.ts';
import { type Address, formatAddress } from '../model/address.ts';
import { desiredPrefix, type Naming, provisionedPrefix, recordPrefix } from '../model/naming.ts';
import {
  type DesiredMaster,
  type Monitoring,
  type ProvisioningNote,
  parseDesired,
  parseNote,
} from '../model/provisioning.ts';
import { type MasterRecord, parseRecord } from '../model/record.ts';

type Tree = Follow<{ kind: 'key-tree'; prefix: string }>;

export interface DesiredReading {
  /** By name; undefined for a value that is not a desired master. The name stays, so that nothing removes the master. */
  readonly desired: ReadonlyMap<string, DesiredMaster | undefined>;
  /** The notes of provisioners, by name. */
  readonly provisioned: ReadonlyMap<string, ProvisioningNote>;
  readonly records: ReadonlyMap<string, MasterRecord>;
}

const readTimeoutMs = 1_000;

/** What the Sentinels must monitor, and what each of them monitors. */
export class ProvisioningSource {
  readonly #naming: Naming;
  readonly #access: RedisAccess;
  readonly #desired: Tree;
  readonly #provisioned: Tree;
  readonly #records: Tree;
  readonly #links = new Map<string, SentinelMonitoringLink>();

  constructor(options: {
    readonly watches: CatalogWatches;
    readonly naming: Naming;
    readonly access: RedisAccess;
    readonly onChange: () => void;
  }) {
    const { watches, naming, onChange } = options;
    this.#naming = naming;
    this.#access = options.access;
    const follow = (prefix: string) => watches.follow({ kind: 'key-tree', prefix }, onChange);
    this.#desired = follow(desiredPrefix(naming));
    this.#provisioned = follow(provisionedPrefix(naming));
    this.#records = follow(recordPrefix(naming));
  }

  /** undefined until Consul has answered for all keys, and while it is unreachable: `desired/` may have changed. */
  read(): DesiredReading | undefined {
    const [desired, provisioned, records] = [this.#desired.state, this.#provisioned.state, this.#records.state];
    if (desired.kind !== 'current' || provisioned.kind !== 'current' || records.kind !== 'current') return undefined;
    const nameOf = (key: string, prefix: string) => key.slice(prefix.length);
    return {
      desired: new Map(
        desired.value.map(({ key, value }) => {
          const name = nameOf(key, desiredPrefix(this.#naming));
          return [name, parseDesired(name, value)];
        }),
      ),
      provisioned: new Map(
        provisioned.value.map(({ key, value }) => [nameOf(key, provisionedPrefix(this.#naming)), parseNote(value)]),
      ),
      records: new Map(
        records.value.flatMap(({ value }) => {
          const record = parseRecord(value);
          return record === undefined ? [] : [[record.name, record] as const];
        }),
      ),
    };
  }

  /** What each of these Sentinels monitors, without those that do not answer. */
  async monitoring(sentinels: readonly Address[]): Promise<readonly Monitoring[]> {
    const wanted = new Set(sentinels.map(formatAddress));
    for (const [key, link] of this.#links) {
      if (wanted.has(key)) continue;
      link.close();
      this.#links.delete(key);
    }
    const results = await Promise.allSettled(
      sentinels.map((address) => this.link(address).monitoring({ timeoutMs: readTimeoutMs })),
    );
    return results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
  }

  link(address: Address): SentinelMonitoringLink {
    const key = formatAddress(address);
    const link = this.#links.get(key) ?? new SentinelMonitoringLink(address, this.#access);
    this.#links.set(key, link);
    return link;
  }

  release(): void {
    for (const follow of [this.#desired, this.#provisioned, this.#records]) follow.release();
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
  }
}
