import { type Address, isIn } from '../../model/address.ts';
import type { ClusterRecord } from '../../model/cluster.ts';
import type { InstanceSpec } from '../../model/instance.ts';
import { instanceKind } from '../../model/instance-kinds.ts';
import type { InstanceProfile } from '../../model/probe-result.ts';
import type { MasterRecord } from '../../model/record.ts';
import type { ExpectedRole } from './health.ts';

/** The name and the role that the records give an instance. */
export interface RecordedRole {
  /** Of the master or of the cluster. */
  readonly name: string | undefined;
  readonly role: ExpectedRole;
  /** Where a master's record lists it. */
  readonly address?: Address;
  /** Set where the record has another address as the master, and nothing proves whose process is there. */
  readonly proof?: 'missing';
}

/** What is proven about the addresses of a record: whether they lead to this instance's process or to another one. */
export interface Identity {
  readonly same: readonly Address[];
  readonly others: readonly Address[];
}

/** What can give an instance its role. */
export interface RoleSources {
  /** Every address by which a record may list the instance. */
  readonly identities: readonly Address[];
  readonly proven: Identity;
  readonly records: readonly MasterRecord[];
  /** The record of the cluster that the config names for the instance. */
  readonly cluster: ClusterRecord | undefined;
}

export function recordedRole(spec: InstanceSpec, sources: RoleSources): RecordedRole {
  switch (instanceKind(spec.kind).record) {
    case 'master':
      return roleOfMasters(spec, sources);
    case 'cluster':
      return roleOfCluster(spec, sources);
    case 'none':
      return { name: spec.name, role: 'unknown' };
  }
}

/** The addresses by which others may know an instance: the announced one, its own, and those of this node (`nodeHosts`). */
export function identitiesOf(
  spec: InstanceSpec,
  known: { readonly profile: InstanceProfile | undefined; readonly nodeHosts: readonly string[] },
): readonly Address[] {
  const { profile, nodeHosts } = known;
  const announced = announcedAddress(spec, profile);
  const own = tcpAddress(spec, profile);
  const { host = own?.host, port = own?.port } = announced;
  if (host === undefined || port === undefined) return [];
  const names = [...(own === undefined ? [] : [own]), ...(profile?.names ?? [])];
  return [{ host, port }, ...names, ...nodeHosts.map((other) => ({ host: other, port }))];
}

/**
 * The address for others: from the config, else announced by the process, else where this node connects to it. That of a
 * socket has neither host nor port.
 */
export function announcedAddress(spec: InstanceSpec, profile: InstanceProfile | undefined): Partial<Address> {
  if (spec.announce !== undefined) return spec.announce;
  return { ...(typeof spec.address === 'string' ? {} : spec.address), ...profile?.announced };
}

/** Where this node reaches the process by TCP. A Redis that is probed over a socket may listen on a port as well. */
function tcpAddress({ address }: InstanceSpec, profile: InstanceProfile | undefined): Address | undefined {
  if (typeof address !== 'string') return address;
  return profile?.port === undefined ? undefined : { host: '127.0.0.1', port: profile.port };
}

/**
 * The addresses whose process must be compared with the instance's, because the record seems to contradict its role or
 * does not list it: it may list the instance by another name. None where record and role agree.
 */
export function unprovenAddresses(
  spec: InstanceSpec,
  seen: { readonly role: 'master' | 'replica' | 'other'; readonly sources: RoleSources },
): readonly Address[] {
  if (instanceKind(spec.kind).record !== 'master') return [];
  const { identities, records } = seen.sources;
  const proven = { same: [], others: [] };
  const { role } = roleOfMasters(spec, { ...seen.sources, proven });
  if (role === seen.role || seen.role === 'other') return [];
  const ports = new Set(identities.map(({ port }) => port));
  return records
    .filter(({ name }) => spec.name === undefined || name === spec.name)
    .flatMap(({ master, replicas }) => [master, ...replicas])
    .filter(({ port }) => spec.name !== undefined || ports.has(port));
}

/**
 * `replica` only with proof: the record lists the instance as one or as the former master, or its master is proven to be
 * another process. Another spelling of the address proves nothing.
 */
function roleOfMasters(spec: InstanceSpec, { identities, proven, records }: RoleSources): RecordedRole {
  const own = [...identities, ...proven.same];
  const listing = ({ master, replicas }: MasterRecord) => isIn(own, master) || replicas.some((one) => isIn(own, one));
  const record = spec.name === undefined ? records.find(listing) : records.find(({ name }) => name === spec.name);
  if (record === undefined) return { name: spec.name, role: 'unknown' };
  const { name, master, replicas, previous } = record;
  if (isIn(own, master)) return { name, role: 'master', address: master };
  const former = previous === null ? replicas : [...replicas, previous];
  const listed = former.find((address) => isIn(own, address));
  if (listed !== undefined) return { name, role: 'replica', address: listed };
  return isIn(proven.others, master) ? { name, role: 'replica' } : { name, role: 'unknown', proof: 'missing' };
}

function roleOfCluster(spec: InstanceSpec, { identities, cluster }: RoleSources): RecordedRole {
  const is = (address: Address) => isIn(identities, address);
  const name = spec.name ?? cluster?.name;
  for (const { master, replicas } of cluster?.shards ?? []) {
    if (master !== null && is(master)) return { name, role: 'master' };
    if (replicas.some(is)) return { name, role: 'replica' };
  }
  return { name, role: 'unknown' };
}
