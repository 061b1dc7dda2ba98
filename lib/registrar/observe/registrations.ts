import type { ConsulAgentClient } from '../../client/consul-agent.ts';
import { lastValue } from '../../consul/watch-state.ts';
import type { CatalogWatches, Follow } from '../../consul/watches.ts';
import { type ClusterRecord, parseClusterRecord } from '../../model/cluster.ts';
import type { HeldService } from '../../model/instance.ts';
import { clusterKey, clusterPrefix, type Naming, recordPrefix } from '../../model/naming.ts';
import type { MasterRecord } from '../../model/record.ts';
import { readRecords } from '../../model/records.ts';
import { ReadableRecords } from './readable-records.ts';

/** How long one answer of the agent serves the runs of all instances. */
const freshMs = 200;

/** The services of the local agent, and the records. */
export class RegistrationSource {
  readonly #agent: ConsulAgentClient;
  readonly #naming: Naming;
  readonly #readable: ReadableRecords;
  readonly #records: Follow<{ kind: 'key-tree'; prefix: string }>;
  readonly #clusters: Follow<{ kind: 'key-tree'; prefix: string }> | undefined;
  #reading: { readonly atMs: number; readonly services: Promise<readonly HeldService[]> } | undefined;

  constructor(options: {
    readonly agent: ConsulAgentClient;
    readonly watches: CatalogWatches;
    readonly naming: Naming;
    /** Whether any instance needs the records of clusters. */
    readonly clusters: 'read' | 'not-read';
    readonly onChange: () => void;
  }) {
    const { watches, naming, onChange } = options;
    this.#agent = options.agent;
    this.#naming = naming;
    this.#readable = new ReadableRecords(recordPrefix(naming));
    this.#records = watches.follow({ kind: 'key-tree', prefix: recordPrefix(naming) }, onChange);
    if (options.clusters === 'read') {
      this.#clusters = watches.follow({ kind: 'key-tree', prefix: clusterPrefix(naming) }, onChange);
    }
  }

  /** Every service of this agent, whoever registered it. Rejects while the agent does not answer. */
  services(): Promise<readonly HeldService[]> {
    const nowMs = performance.now();
    if (this.#reading === undefined || nowMs - this.#reading.atMs > freshMs) {
      const services = this.#agent.services();
      this.#reading = { atMs: nowMs, services };
      services.catch(() => this.forget());
    }
    return this.#reading.services;
  }

  /** Makes the next call read the agent again, after a write to it. */
  forget(): void {
    this.#reading = undefined;
  }

  /** undefined until Consul has answered once. Values that were never a record are left out. */
  get records(): readonly MasterRecord[] | undefined {
    const entries = lastValue(this.#records.state);
    if (entries === undefined) return undefined;
    return readRecords(this.#readable.read(entries), recordPrefix(this.#naming)).records;
  }

  cluster(name: string): ClusterRecord | undefined {
    const key = clusterKey(this.#naming, name);
    const entries = this.#clusters === undefined ? undefined : lastValue(this.#clusters.state);
    const entry = entries?.find((candidate) => candidate.key === key);
    const record = entry === undefined ? undefined : parseClusterRecord(entry.value);
    return record?.name === name ? record : undefined;
  }

  release(): void {
    this.#records.release();
    this.#clusters?.release();
  }
}
