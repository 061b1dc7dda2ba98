import { hasValue, lastValue } from '../../consul/watch-state.ts';
import type { CatalogWatches, Follow } from '../../consul/watches.ts';
import type { KvEntry, ServiceInstance } from '../../model/catalog.ts';
import { chooseNode, nodeKey } from '../../model/master-node.ts';
import {
  externalNode,
  isBridgeNode,
  masterOfNode,
  masterService,
  type Naming,
  nameInKey,
  plainPrefix,
  recordPrefix,
  replicaService,
} from '../../model/naming.ts';
import { type OtherEnvironment, readOtherEnvironment } from '../../model/other-environment.ts';
import type { ConsulQuery } from '../../model/query.ts';
import { readStoredRecord } from '../../model/record.ts';
import { changedNames, keptReadings, type RecordReading, type Slices } from './record-slices.ts';

/**
 * The records of one environment and everything written beside them, by four blocking queries for any number of
 * masters. `onChange` names the masters and the keys of the external nodes that changed, or says `all` after an outage.
 */
export class RecordSource {
  readonly #naming: Naming;
  readonly #onChange: (changed: ReadonlySet<string> | 'all') => void;
  readonly #records: Follow<{ kind: 'key-tree'; prefix: string }>;
  readonly #keys: Follow<{ kind: 'key-tree'; prefix: string }>;
  readonly #services: readonly Follow<{ kind: 'service'; service: string }>[];
  /** All of them, in one list: each reading of each master asks whether any is missing. */
  readonly #follows: readonly Follow<ConsulQuery>[];
  /** The node on which each master last had services of ours. */
  readonly #lastNodes = new Map<string, string>();
  #slices: Slices = {
    read: new Map(),
    records: new Map(),
    keys: new Map(),
    instances: new Map(),
    elsewhere: new Map(),
    foreign: new Map(),
    others: new Map(),
  };

  constructor(options: {
    readonly watches: CatalogWatches;
    readonly naming: Naming;
    readonly onChange: (changed: ReadonlySet<string> | 'all') => void;
  }) {
    const { watches, naming } = options;
    this.#naming = naming;
    this.#onChange = options.onChange;
    const follow = <Q extends Parameters<CatalogWatches['follow']>[0]>(query: Q, slice: () => Partial<Slices>) =>
      watches.follow(query, (event) => this.#changed(event === 'value' ? 'value' : 'state', slice));
    this.#records = follow({ kind: 'key-tree', prefix: recordPrefix(naming) }, () => this.#sliceRecords());
    this.#keys = follow({ kind: 'key-tree', prefix: this.#plainPrefix }, () => this.#sliceKeys());
    this.#services = [masterService, replicaService].map((service) =>
      follow({ kind: 'service', service }, () => this.#sliceServices()),
    );
    this.#follows = [this.#records, this.#keys, ...this.#services];
    // A watch that others follow already has a value, and reports the next one only.
    this.#slices = { ...this.#slices, ...this.#sliceRecords(), ...this.#sliceKeys(), ...this.#sliceServices() };
  }

  /** undefined until everything was read once. */
  read(name: string): RecordReading | undefined {
    const state = this.#records.state;
    if (!hasValue(state) || this.missing() !== undefined) return undefined;
    const { read } = this.#slices;
    const known = read.get(name);
    const { index, resets } = state;
    if (known?.index === index && known.resets === resets) return known;
    const reading = { ...(known ?? this.#read(name)), index, resets };
    read.set(name, reading);
    return reading;
  }

  #read(name: string): Pick<RecordReading, 'held' | 'catalogContents'> {
    const { records, keys, instances, elsewhere } = this.#slices;
    const instancesOn = (node: string) => instances.get(nodeKey(node)) ?? [];
    const isOurs = ({ nodeMeta }: ServiceInstance) => masterOfNode(this.#naming, nodeMeta) === name;
    const node = chooseNode({ naming: this.#naming, name, last: this.#lastNodes.get(name) }, instancesOn);
    if (instancesOn(node).some(isOurs)) this.#lastNodes.set(name, node);
    const ours = instancesOn(externalNode(this.#naming, name)).filter(isOurs);
    const former = [...ours, ...(elsewhere.get(name) ?? [])].filter(
      (instance) => nodeKey(instance.node) !== nodeKey(node),
    );
    return {
      held: readStoredRecord(records.get(name), name),
      catalogContents: { keys: keys.get(name) ?? new Map(), node, instances: instancesOn(node), former },
    };
  }

  /** Every master that has a record, sorted. */
  get names(): readonly string[] {
    const slices = this.#slices;
    slices.names ??= [...slices.records]
      .flatMap(([name, entry]) => (readStoredRecord(entry, name).kind === 'present' ? [name] : []))
      .toSorted();
    return slices.names;
  }

  /** Instances that no bridge registered, and that DNS lists among the nodes of this master. */
  foreign(name: string): readonly ServiceInstance[] {
    return this.#slices.foreign.get(nodeKey(externalNode(this.#naming, name))) ?? [];
  }

  /** Registrations of masters of this name in other environments. */
  otherEnvironments(name: string): readonly OtherEnvironment[] {
    return this.#slices.others.get(name) ?? [];
  }

  /** The master was removed: a later one of this name begins with the usual node. */
  forget(name: string): void {
    this.#lastNodes.delete(name);
    this.#slices.read.delete(name);
  }

  /** Why nothing can be read yet; undefined when everything was. */
  missing(): string | undefined {
    for (const { state } of this.#follows) {
      if (state.kind === 'failed') return state.error.message;
      if (state.kind === 'pending') return 'Consul has not answered yet';
    }
    return undefined;
  }

  /** The last error, while Consul is out of reach. */
  get outage(): string | undefined {
    for (const { state } of this.#follows) {
      if (state.kind === 'failed' || state.kind === 'stale') return state.error.message;
    }
    return undefined;
  }

  release(): void {
    for (const follow of this.#follows) follow.release();
  }

  get #plainPrefix(): string {
    return plainPrefix(this.#naming);
  }

  /** Reads again only what the answer was about: each master has an entry in every slice. */
  #changed(event: 'value' | 'state', slice: () => Partial<Slices>): void {
    const before = this.#slices;
    const fresh = slice();
    const { names } = 'records' in fresh ? {} : before;
    this.#slices = { ...before, ...fresh, names, read: new Map() };
    if (this.missing() !== undefined) return;
    if (event === 'state') {
      this.#onChange('all');
      return;
    }
    const changed = changedNames(before, this.#slices);
    this.#slices = { ...this.#slices, read: keptReadings(before.read, changed, this.#naming) };
    this.#onChange(changed);
  }

  #sliceRecords(): Pick<Slices, 'records'> {
    const prefix = recordPrefix(this.#naming);
    const entries = lastValue(this.#records.state) ?? [];
    return { records: new Map(entries.map((entry) => [nameInKey(entry.key.slice(prefix.length)), entry])) };
  }

  #sliceKeys(): Pick<Slices, 'keys'> {
    const prefix = this.#plainPrefix;
    const keys = new Map<string, Map<string, KvEntry>>();
    for (const entry of lastValue(this.#keys.state) ?? []) {
      const name = nameInKey(entry.key.slice(prefix.length).split('/', 1)[0] ?? '');
      keys.set(name, (keys.get(name) ?? new Map()).set(entry.key, entry));
    }
    return { keys };
  }

  #sliceServices(): Pick<Slices, 'instances' | 'elsewhere' | 'foreign' | 'others'> {
    const instances = new Map<string, ServiceInstance[]>();
    const elsewhere = new Map<string, ServiceInstance[]>();
    const foreign = new Map<string, ServiceInstance[]>();
    const others = new Map<string, OtherEnvironment[]>();
    for (const instance of this.#services.flatMap(({ state }) => lastValue(state) ?? [])) {
      for (const key of this.#foreignTo(instance)) foreign.set(key, [...(foreign.get(key) ?? []), instance]);
      const other = instance.name === masterService ? readOtherEnvironment(instance, this.#naming) : undefined;
      if (other !== undefined) others.set(other.master, [...(others.get(other.master) ?? []), other]);
      const master = masterOfNode(this.#naming, instance.nodeMeta);
      if (master !== undefined && nodeKey(instance.node) !== nodeKey(externalNode(this.#naming, master)))
        elsewhere.set(master, [...(elsewhere.get(master) ?? []), instance]);
      const key = nodeKey(instance.node);
      const list = instances.get(key);
      if (list === undefined) instances.set(key, [instance]);
      else list.push(instance);
    }
    return { instances, elsewhere, foreign, others };
  }

  /** The keys of the external nodes that an instance's tags name, unless a bridge registered it, of whatever environment. */
  #foreignTo({ node, nodeMeta, tags }: ServiceInstance): readonly string[] {
    const keys = new Set(tags.map((tag) => nodeKey(externalNode(this.#naming, tag))));
    return isBridgeNode(nodeMeta) || keys.has(nodeKey(node)) ? [] : [...keys];
  }
}
