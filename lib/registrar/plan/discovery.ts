import { type Address, canonicalHost, isDefaultLoopback, isNodeLocal, sameAddress } from '../../model/address.ts';
import { type Discovery, type InstanceSpec, instanceId } from '../../model/instance.ts';
import type { MasterRecord } from '../../model/record.ts';

/** What is known about the addresses of hostnames. */
export interface KnownAddresses {
  /** Of an IP address, itself. */
  of(host: string): readonly string[];
  isUnresolved(host: string): boolean;
}

/**
 * The instances that the records list at an address of this node, sorted by id. `before` is the previous result: an
 * instance remains while its record is missing, or has a name that is not resolved yet.
 */
export function discoverInstances(
  discovery: Discovery,
  seen: {
    readonly records: readonly MasterRecord[];
    readonly nodeHosts: readonly string[];
    readonly addresses: KnownAddresses;
    readonly before: readonly InstanceSpec[];
    /** Where the config lists instances. They are not discovered again. */
    readonly configured: readonly Address[];
  },
): readonly InstanceSpec[] {
  const { addresses } = seen;
  const hosts = new Set([...discovery.hosts, ...seen.nodeHosts].map(canonicalHost));
  const isHere = (host: string): boolean =>
    hosts.has(canonicalHost(host)) ||
    addresses.of(host).some((one) => hosts.has(canonicalHost(one)) || isOwnName(host, one));
  const records = seen.records.filter(({ name }) => discovery.matches(name));
  const known = records.filter((record) => !hostsOf(record).some((host) => addresses.isUnresolved(host)));
  const names = new Set(known.map(({ name }) => name));
  const kept = seen.before.filter(({ name }) => name !== undefined && !names.has(name));
  const found = records.flatMap(({ name, master, replicas }) =>
    [master, ...replicas].filter(({ host }) => isHere(host)).map((address) => instanceAt(discovery, { name, address })),
  );
  const isConfigured = ({ host, port }: Address): boolean => {
    const spellings = [host, ...addresses.of(host)];
    return seen.configured.some((one) => spellings.some((spelling) => sameAddress(one, { host: spelling, port })));
  };
  const fresh = [...kept, ...found].filter(({ address }) => typeof address === 'string' || !isConfigured(address));
  const all = new Map(fresh.map((spec) => [spec.id, spec]));
  return [...all.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** The hosts of a record's master and replicas. */
export function hostsOf({ master, replicas }: MasterRecord): readonly string[] {
  return [master, ...replicas].map(({ host }) => host);
}

/** /etc/hosts of many distributions gives a machine's own name, and no other, a loopback address. */
function isOwnName(host: string, resolved: string): boolean {
  return isDefaultLoopback(resolved) && !isNodeLocal(host);
}

function instanceAt(discovery: Discovery, at: { readonly name: string; readonly address: Address }): InstanceSpec {
  return { ...discovery.pattern, ...at, id: instanceId(discovery.pattern.kind, at.address), origin: 'discovered' };
}
