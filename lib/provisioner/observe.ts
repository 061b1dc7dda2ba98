import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RedisAccess } from '../client/redis-connection.ts';
import { SentinelMonitoringLink } from '../client/sentinel-monitoring.ts';
import type { CatalogWatches, Follow } from '../consul/watches.ts';
import { type Address, formatAddress } from '../model/address.ts';
import type { KvEntry } from '../model/catalog.ts';
import { Memo } from '../model/memo.ts';
import { desiredPrefix, type Naming, nameInKey, provisionedPrefix, recordPrefix } from '../model/naming.ts';
import {
  type DesiredMaster,
  type Monitoring,
  type ProvisioningNote,
  type ProvisioningStep,
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

/** A connection to one Sentinel. */
type Link = Pick<SentinelMonitoringLink, 'monitoring' | 'configure' | 'close'>;

/** One question to a Sentinel, and its answer about every master: it serves all masters that are compared at this time. */
interface Asked {
  /** Later than any time until it is sent. */
  atMs: number;
  readonly answer: Promise<Monitoring>;
}

/** What the Sentinels must monitor, and what each of them monitors. */
export class ProvisioningSource {
  readonly #naming: Naming;
  readonly #openLink: (address: Address) => Link;
  readonly #desired: Tree;
  readonly #provisioned: Tree;
  readonly #records: Tree;
  readonly #links = new Map<string, Link>();
  /** By Sentinel. */
  readonly #asked = new Map<string, Asked>();
  /** A run of each master reads all of them. */
  readonly #reading = new Memo<DesiredReading>();

  constructor(options: {
    readonly watches: CatalogWatches;
    readonly naming: Naming;
    readonly access: RedisAccess;
    readonly onChange: () => void;
    /** Default: a connection is opened. */
    readonly openLink?: (address: Address) => Link;
  }) {
    const { watches, naming, access, onChange } = options;
    this.#naming = naming;
    this.#openLink = options.openLink ?? ((address) => new SentinelMonitoringLink(address, access));
    const follow = (prefix: string) => watches.follow({ kind: 'key-tree', prefix }, onChange);
    this.#desired = follow(desiredPrefix(naming));
    this.#provisioned = follow(provisionedPrefix(naming));
    this.#records = follow(recordPrefix(naming));
  }

  /** undefined until Consul has answered for all keys, and while it is unreachable: `desired/` may have changed. */
  read(): DesiredReading | undefined {
    const [desired, provisioned, records] = [this.#desired.state, this.#provisioned.state, this.#records.state];
    if (desired.kind !== 'current' || provisioned.kind !== 'current' || records.kind !== 'current') return undefined;
    const values = [desired.value, provisioned.value, records.value] as const;
    return this.#reading.get(values, () => this.#parse(...values));
  }

  #parse(desired: readonly KvEntry[], provisioned: readonly KvEntry[], records: readonly KvEntry[]): DesiredReading {
    const named = (entries: readonly KvEntry[], prefix: string) =>
      entries.flatMap(({ key, value }) =>
        isMarkerKey(key) ? [] : [{ name: nameInKey(key.slice(prefix.length)), value }],
      );
    const prefix = recordPrefix(this.#naming);
    return {
      desired: new Map(
        named(desired, desiredPrefix(this.#naming)).map(({ name, value }) => [name, parseDesired(name, value)]),
      ),
      provisioned: new Map(
        named(provisioned, provisionedPrefix(this.#naming)).map(({ name, value }) => [name, parseNote(value)]),
      ),
      records: new Map(readRecords(records, prefix).records.map((record) => [record.name, record])),
    };
  }

  /**
   * What each of these Sentinels monitors, without those that do not answer. A Sentinel is asked again only if it was asked last before
   * `sinceMs` (`performance.now()`), or configured since.
   */
  async monitoring(
    sentinels: readonly Address[],
    { sinceMs }: { readonly sinceMs: number },
  ): Promise<readonly Monitoring[]> {
    const wanted = new Set(sentinels.map(formatAddress));
    for (const [key, link] of this.#links) {
      if (wanted.has(key)) continue;
      link.close();
      this.#links.delete(key);
      this.#asked.delete(key);
    }
    const results = await Promise.allSettled(sentinels.map((address) => this.#ask(address, sinceMs)));
    return results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
  }

  /** Rejects with a SwitchmasterError where the Sentinel refuses. */
  async configure(step: ProvisioningStep, options: { readonly timeoutMs: number }): Promise<void> {
    const key = formatAddress(step.sentinel);
    try {
      await this.#link(step.sentinel).configure(step, options);
    } finally {
      this.#asked.delete(key);
    }
  }

  #ask(address: Address, sinceMs: number): Promise<Monitoring> {
    const key = formatAddress(address);
    const last = this.#asked.get(key);
    if (last !== undefined && last.atMs >= sinceMs) return last.answer;
    // Many masters are woken one after another in this turn of the event loop: the question is sent after the last of them.
    const send = async () => {
      await nextTurn();
      asked.atMs = performance.now();
      return this.#link(address).monitoring({ timeoutMs: readTimeoutMs });
    };
    const asked: Asked = { atMs: Number.POSITIVE_INFINITY, answer: send() };
    this.#asked.set(key, asked);
    return asked.answer;
  }

  #link(address: Address): Link {
    const key = formatAddress(address);
    const link = this.#links.get(key) ?? this.#openLink(address);
    this.#links.set(key, link);
    return link;
  }

  release(): void {
    for (const follow of [this.#desired, this.#provisioned, this.#records]) follow.release();
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
  }
}
