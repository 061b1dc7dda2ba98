import type { RedisAccess } from '../client/redis-connection.ts';
import { SentinelMonitoringLink } from '../client/sentinel-monitoring.ts';
import type { CatalogWatches, Follow } from '../consul/watches.ts';
import { type Address, formatAddress } from '../model/address.ts';
import type { KvEntry } from '../model/catalog.ts';
import { desiredPrefix, type Naming, nameInKey, provisionedPrefix, recordPrefix } from '../model/naming.ts';
import {
  type DesiredMaster,
  type Monitoring,
  type ProvisioningNote,
  parseDesired,
  parseNote,
} from '../model/provisioning.ts';
import type { MasterRecord } from '../model/record.ts';
import { isMarkerKey, readRecords } from '../model/records.ts';

type Tree = Follow<{ kind: 'key-tree'; prefix: string }>;

export interface DesiredReading {
  /** By name; undefined for a value that is not a desired master. The name stays, so that nothing removes the master. */
  readonly desired: ReadonlyMap<string, DesiredMaster | undefined>;
  /** The notes of provisioners, by name; undefined for a value that none of them wrote. */
  readonly provisioned: ReadonlyMap<string, ProvisioningNote | undefined>;
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
    const named = (entries: readonly KvEntry[], prefix: string) =>
      entries.flatMap(({ key, value }) =>
        isMarkerKey(key) ? [] : [{ name: nameInKey(key.slice(prefix.length)), value }],
      );
    const prefix = recordPrefix(this.#naming);
    return {
      desired: new Map(
        named(desired.value, desiredPrefix(this.#naming)).map(({ name, value }) => [name, parseDesired(name, value)]),
      ),
      provisioned: new Map(
        named(provisioned.value, provisionedPrefix(this.#naming)).map(({ name, value }) => [name, parseNote(value)]),
      ),
      records: new Map(readRecords(records.value, prefix).records.map((record) => [record.name, record])),
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
