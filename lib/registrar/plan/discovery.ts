import type { Address } from '../../model/address.ts';
import { type Discovery, type InstanceSpec, instanceId } from '../../model/instance.ts';
import type { MasterRecord } from '../../model/record.ts';

/**
 * The instances that the records list at an address of this node, sorted by id. `before` is the previous result: an
 * instance remains while its record is missing.
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

function instanceAt(discovery: Discovery, at: { readonly name: string; readonly address: Address }): InstanceSpec {
  return { ...discovery.pattern, ...at, id: instanceId(discovery.pattern.kind, at.address), origin: 'discovered' };
}
