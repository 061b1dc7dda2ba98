import { type Address, formatAddress } from '../model/address.ts';
import type { InstanceSpec } from '../model/instance.ts';
import type { MasterRecord } from '../model/record.ts';

/** A wish to register every Redis of this node that the records list. */
export interface Discovery {
  /** What each of them is registered with, but for id, name and address. */
  readonly pattern: Omit<InstanceSpec, 'id' | 'name' | 'address' | 'origin'>;
  /** Addresses of this node, beside those of its interfaces. */
  readonly hosts: readonly string[];
  readonly matches: (master: string) => boolean;
}

/**
 * The instances that the records (and so the Sentinels) place on this node, sorted by id. `before` is what was found
 * last: it is kept where its record is missing, for no record is no news.
 */
export function discoverInstances(
  discovery: Discovery,
  seen: {
    readonly records: readonly MasterRecord[];
    readonly nodeHosts: readonly string[];
    readonly before: readonly InstanceSpec[];
  },
): readonly InstanceSpec[] {
  const hosts = new Set([...discovery.hosts, ...seen.nodeHosts]);
  const records = seen.records.filter(({ name }) => discovery.matches(name));
  const names = new Set(records.map(({ name }) => name));
  const kept = seen.before.filter(({ name }) => name !== undefined && !names.has(name));
  const found = records.flatMap(({ name, master, replicas }) =>
    [master, ...replicas]
      .filter(({ host }) => hosts.has(host))
      .map((address) => instanceAt(discovery, { name, address })),
  );
  const all = new Map([...kept, ...found].map((spec) => [spec.id, spec]));
  return [...all.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** The id of an instance: its kind and where this node reaches it, for both outlive every failover. */
export function instanceId(kind: InstanceSpec['kind'], address: Address): string {
  return `${kind}-${formatAddress(address)}`;
}

function instanceAt(discovery: Discovery, at: { readonly name: string; readonly address: Address }): InstanceSpec {
  return { ...discovery.pattern, ...at, id: instanceId(discovery.pattern.kind, at.address), origin: 'discovered' };
}
