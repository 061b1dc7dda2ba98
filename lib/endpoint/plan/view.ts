import { type Address, formatAddress, isLoopback, sameAddress } from '../../model/address.ts';
import type { InstanceCheck, ServiceInstance } from '../../model/catalog.ts';
import { bridgeCheckId } from '../../model/foreign-check.ts';
import { readMasterCheckCode, type ServedCondition, servedCondition } from '../../model/master-check.ts';
import { isOfMaster, recordedAddress } from '../../model/master-instance.ts';
import { masterService, type Naming, replicaService } from '../../model/naming.ts';
import { publishedAddress } from '../../model/publish.ts';
import type { MasterRecord } from '../../model/record.ts';

/** What the endpoint answers from. */
export interface ServedView {
  /** Sorted by name. */
  readonly masters: ReadonlyMap<string, ServedMaster>;
  /** The endpoints of other nodes, sorted by address. */
  readonly endpoints: readonly ServedEndpoint[];
  /** Whether Consul lists this endpoint itself, or did so until a moment ago. */
  readonly isListed: boolean;
  /** Since when Consul does not list it any more, as in `nowMs`: `endpoints` is the former list. */
  readonly unlistedSinceMs?: number;
}

export interface ServedMaster {
  readonly name: string;
  readonly record: MasterRecord;
  /** What its state and that of its replicas was read from. */
  readonly instances: readonly ServiceInstance[];
  /** Where clients reach it. */
  readonly address: Address;
  readonly condition: ServedCondition;
  readonly replicas: readonly ServedReplica[];
}

export interface ServedReplica {
  /** Where clients reach it. */
  readonly address: Address;
  /** Its address in the record. */
  readonly recorded: Address;
  readonly condition: 'up' | 's_down';
  /** Whether it replicates from the master. */
  readonly link: 'ok' | 'err';
}

export interface ServedEndpoint {
  /** 40 hexadecimal digits, as of a Sentinel. */
  readonly id: string;
  readonly address: Address;
}

/** What an endpoint puts into the meta of its service. */
export interface EndpointMeta {
  /** 40 hexadecimal digits, as of a Sentinel. */
  readonly id: string;
  /** Empty without one: all environments share the service's name. */
  readonly environment: string;
  /** A client that connects by one cannot connect by the other. */
  readonly transport: 'tcp' | 'tls';
}

export interface Catalog {
  readonly records: readonly MasterRecord[];
  /** Instances of `redis-master` and `redis-replica`. */
  readonly masters: readonly ServiceInstance[];
  readonly replicas: readonly ServiceInstance[];
  /** Instances of `redis-sentinel-endpoint`. */
  readonly endpoints: readonly ServiceInstance[];
}

/** How long `endpoints` stays as it was while Consul does not list this endpoint. After a restart Consul lists it sooner. */
export const formerListMs = 60_000;

/**
 * The records count; the catalog adds the Sentinels' opinion of each server at the address that the record has. A master of
 * which nothing changed stays the same object as in `former`.
 */
export function makeView(
  catalog: Catalog,
  options: {
    readonly naming: Naming;
    readonly own: EndpointMeta;
    /** Milliseconds of a clock that nobody sets. */
    readonly nowMs: number;
    readonly former?: ServedView | undefined;
  },
): ServedView {
  const { naming, former } = options;
  const groups = groupByMaster([...catalog.masters, ...catalog.replicas]);
  const served = catalog.records.map((record): ServedMaster => {
    const instances = groups.get(record.name) ?? [];
    const known = former?.masters.get(record.name);
    const isSame = known?.record === record && sameItems(known.instances, instances);
    return isSame ? known : serveMaster(record, { instances, naming });
  });
  served.sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    masters: new Map(served.map((master) => [master.name, master])),
    ...serveEndpoints(catalog.endpoints, options),
  };
}

/**
 * Without this endpoint itself the list is incomplete, as after a restart of Consul. The former list stays for a time then.
 */
function serveEndpoints(
  instances: readonly ServiceInstance[],
  { own, nowMs, former }: Pick<Parameters<typeof makeView>[1], 'own' | 'nowMs' | 'former'>,
): Pick<ServedView, 'endpoints' | 'isListed' | 'unlistedSinceMs'> {
  const isListed = instances.some(({ meta }) => meta.id === own.id);
  if (!isListed && former?.isListed === true) {
    const { endpoints, unlistedSinceMs = nowMs } = former;
    if (nowMs - unlistedSinceMs < formerListMs) return { endpoints, isListed: true, unlistedSinceMs };
  }
  return { endpoints: otherEndpoints(instances, own), isListed };
}

function sameItems<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

function serveMaster(
  record: MasterRecord,
  { instances, naming }: { readonly instances: readonly ServiceInstance[]; readonly naming: Naming },
): ServedMaster {
  const { name } = record;
  const mine = instances.filter((instance) => isOfMaster(instance, { naming, name }));
  const published = (address: Address) => publishedAddress(naming.publish, { name, address });
  const checkOf = (service: string, address: Address) =>
    checkAt(
      mine.filter((instance) => instance.name === service),
      address,
    );
  return {
    name,
    record,
    instances,
    address: published(record.master),
    condition: masterCondition(checkOf(masterService, record.master)),
    replicas: record.replicas.map((replica) => {
      const status = checkOf(replicaService, replica)?.status;
      return {
        address: published(replica),
        recorded: replica,
        condition: status === 'critical' ? 's_down' : 'up',
        link: status === undefined || status === 'passing' ? 'ok' : 'err',
      };
    }),
  };
}

/** Right after a failover the catalog may still have the former master: nothing is known of the new one then. */
function masterCondition(check: HeldCheck | undefined): ServedCondition {
  if (check === undefined) return 'up';
  return servedCondition({ status: check.status, code: readMasterCheckCode(check.notes) });
}

type HeldCheck = Pick<InstanceCheck, 'status' | 'notes'>;

function checkAt(instances: readonly ServiceInstance[], address: Address): HeldCheck | undefined {
  const found = instances.find((instance) => sameAddress(recordedAddress(instance), address));
  return found?.checks.find(({ id }) => id === bridgeCheckId(found.id));
}

function groupByMaster(instances: readonly ServiceInstance[]): ReadonlyMap<string, readonly ServiceInstance[]> {
  const groups = new Map<string, ServiceInstance[]>();
  for (const instance of instances) {
    const name = instance.meta.master ?? '';
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [instance]);
    else group.push(instance);
  }
  return groups;
}

/**
 * Healthy endpoints with the same records that a client of this one can reach: a loopback address serves its own node only.
 */
function otherEndpoints(instances: readonly ServiceInstance[], own: EndpointMeta): readonly ServedEndpoint[] {
  const ownNode = instances.find(({ meta }) => meta.id === own.id)?.node;
  const seen = new Set<string>();
  return instances
    .filter(({ meta }) => meta.environment === own.environment && meta.transport === own.transport)
    .filter(({ checks }) => checks.every(({ status }) => status !== 'critical'))
    .flatMap((instance) => {
      const { meta, address: host, port, node } = instance;
      const { id = '' } = meta;
      const isReachable = !isLoopback(host) || node === ownNode;
      if (!/^[0-9a-f]{40}$/.test(id) || id === own.id || !isReachable || port === 0) return [];
      return [{ id, address: { host, port } }];
    })
    .filter(({ id }) => !seen.has(id) && seen.add(id))
    .sort((a, b) => (formatAddress(a.address) < formatAddress(b.address) ? -1 : 1));
}
