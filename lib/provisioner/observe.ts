import { SentinelTeacher } from '../client/provisioning.ts';
import type { RedisAccess } from '../client/redis.ts';
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
  /** By name; undefined for what cannot be read: it says nothing, not even that it is gone. */
  readonly desired: ReadonlyMap<string, DesiredMaster | undefined>;
  /** What provisioners have taught, by name. */
  readonly provisioned: ReadonlyMap<string, ProvisioningNote>;
  readonly records: ReadonlyMap<string, MasterRecord>;
}

const askTimeoutMs = 1_000;

/** What is desired of the Sentinels, and what each of them monitors. */
export class ProvisioningSource {
  readonly #naming: Naming;
  readonly #access: RedisAccess;
  readonly #desired: Tree;
  readonly #provisioned: Tree;
  readonly #records: Tree;
  readonly #teachers = new Map<string, SentinelTeacher>();

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

  /** undefined until all of it was read, and while Consul is out of reach: what was desired then may not be any more. */
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

  /** What each of these Sentinels monitors; those that do not answer are left out. */
  async monitoring(sentinels: readonly Address[]): Promise<readonly Monitoring[]> {
    const wanted = new Set(sentinels.map(formatAddress));
    for (const [key, teacher] of this.#teachers) {
      if (wanted.has(key)) continue;
      teacher.close();
      this.#teachers.delete(key);
    }
    const results = await Promise.allSettled(
      sentinels.map((address) => this.teacher(address).monitoring({ timeoutMs: askTimeoutMs })),
    );
    return results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
  }

  teacher(address: Address): SentinelTeacher {
    const key = formatAddress(address);
    const teacher = this.#teachers.get(key) ?? new SentinelTeacher(address, this.#access);
    this.#teachers.set(key, teacher);
    return teacher;
  }

  release(): void {
    for (const follow of [this.#desired, this.#provisioned, this.#records]) follow.release();
    for (const teacher of this.#teachers.values()) teacher.close();
    this.#teachers.clear();
  }
}
