import { type Address, sameAddress } from '../../model/address.ts';
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
}

/** What can give an instance its role. */
export interface RoleSources {
  /** Every address by which a record may list the instance. */
  readonly identities: readonly Address[];
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
  return [announced, spec.address, ...nodeHosts.map((host) => ({ host, port: announced.port }))];
}

/** The address for others: from the config, else announced by the process, else where this node connects to it. */
export function announcedAddress(spec: InstanceSpec, profile: InstanceProfile | undefined): Address {
  const announced = profile?.announced;
  if (spec.announce !== undefined) return spec.announce;
  return { host: announced?.host ?? spec.address.host, port: announced?.port ?? spec.address.port };
}

function roleOfMasters(spec: InstanceSpec, { identities, records }: RoleSources): RecordedRole {
  const is = (address: Address) => identities.some((identity) => sameAddress(identity, address));
  const listing = ({ master, replicas }: MasterRecord) => is(master) || replicas.some(is);
  const record = spec.name === undefined ? records.find(listing) : records.find(({ name }) => name === spec.name);
  if (record === undefined) return { name: spec.name, role: 'unknown' };
  return { name: record.name, role: is(record.master) ? 'master' : 'replica' };
}

function roleOfCluster(spec: InstanceSpec, { identities, cluster }: RoleSources): RecordedRole {
  const is = (address: Address) => identities.some((identity) => sameAddress(identity, address));
  const name = spec.name ?? cluster?.name;
  for (const { master, replicas } of cluster?.shards ?? []) {
    if (master !== null && is(master)) return { name, role: 'master' };
    if (replicas.some(is)) return { name, role: 'replica' };
  }
  return { name, role: 'unknown' };
}
