import { type Address, formatAddress, sameAddress } from '../../model/address.ts';
import type {
  CatalogChange,
  CatalogCheck,
  CatalogContents,
  CatalogOperation,
  CatalogService,
  ServiceInstance,
} from '../../model/catalog.ts';
import type { Opinion, ReplicaOpinion } from '../../model/check-opinion.ts';
import { bridgeCheckId } from '../../model/foreign-check.ts';
import { masterChecks, readMasterCheckCode } from '../../model/master-check.ts';
import { publicationMeta, recordedAddress } from '../../model/master-instance.ts';
import { labelsOn } from '../../model/master-node.ts';
import { externalNode, masterService, type Naming, plainKey, recordKey, replicaService } from '../../model/naming.ts';
import { publishedAddress } from '../../model/publish.ts';
import { formatRecord, type MasterRecord } from '../../model/record.ts';
import { withAttached } from './attachments.ts';
import { nodeMeta } from './node-ownership.ts';

/*
 * What Consul must hold for one master, what it holds, and the steps from one to the other.
 *
 * A change of master writes everything in one transaction, whatever Consul seems to hold already. So readers never see a
 * record, a key and a service of different epochs. Every other write contains only what differs, fenced by the record.
 */

export interface Wanted {
  readonly naming: Naming;
  readonly record: MasterRecord;
  readonly master: Opinion | undefined;
  readonly replicas: readonly ReplicaOpinion[];
  /** Gives the names of the masters that the bridge knows. Default: none. */
  readonly names?: () => readonly string[];
}

interface WantedService {
  readonly service: CatalogService;
  readonly check: CatalogCheck;
}

/** Writes the record by compare-and-set, with its keys and services. `index` 0: there must be no record yet. */
export function planPublication(
  wanted: Wanted,
  on: { readonly index: number; readonly catalogContents: CatalogContents },
): CatalogChange {
  const { naming, record } = wanted;
  const [master, ...replicas] = wantedServices(wanted, on.catalogContents);
  const node = nodeOf(wanted, on.catalogContents);
  const write = ({ service, check }: WantedService): CatalogOperation[] => [
    { kind: 'service-set', node, service },
    { kind: 'check-set', node, check },
  ];
  return {
    first: [
      { kind: 'kv-cas', key: recordKey(naming, record.name), value: formatRecord(record), index: on.index },
      ...wantedKeys(wanted).map(([key, value]) => ({ kind: 'kv-set', key, value }) as const),
      nodeStep(wanted, on.catalogContents),
      ...(master === undefined ? [] : write(master)),
    ],
    rest: [
      ...surplus(on.catalogContents, [...(master === undefined ? [] : [master]), ...replicas], node),
      ...replicas.flatMap(write),
    ],
  };
}

/**
 * Writes the record alone: the master stays the same, and so do the keys and services. With the checks that differ, unless more
 * does: the Sentinels that confirm a failover see the new master up, and this saves a transaction of each failover.
 */
export function planConfirmation(
  wanted: Wanted,
  on: { readonly index: number; readonly catalogContents: CatalogContents },
): CatalogChange {
  const { naming, record } = wanted;
  const key = recordKey(naming, record.name);
  const differing = planRepair(wanted, on.catalogContents);
  const checks = differing.every(({ kind }) => kind === 'check-set') ? differing : [];
  return { first: [{ kind: 'kv-cas', key, value: formatRecord(record), index: on.index }], rest: checks };
}

/**
 * Writes only what differs from the record; empty where nothing differs. A node with a name of a former version is removed
 * after everything is right on the current node, so that DNS is never empty.
 */
export function planRepair(wanted: Wanted, catalogContents: CatalogContents): readonly CatalogOperation[] {
  const node = nodeOf(wanted, catalogContents);
  const services = wantedServices(wanted, catalogContents);
  const steps: CatalogOperation[] = wantedKeys(wanted)
    .filter(([key, value]) => catalogContents.keys.get(key)?.value !== value)
    .map(([key, value]) => ({ kind: 'kv-set', key, value }));
  steps.push(...surplus(catalogContents, services, node));
  if (!nodeHolds(wanted, catalogContents)) steps.push(nodeStep(wanted, catalogContents));
  for (const { service, check } of services) {
    const held = catalogContents.instances.find((instance) => instance.id === service.id);
    if (held === undefined || !sameService(service, held)) steps.push({ kind: 'service-set', node, service });
    const heldCheck = held?.checks.find(({ id }) => id === check.id);
    const same =
      heldCheck?.status === check.status &&
      heldCheck.output === check.output &&
      heldCheck.name === check.name &&
      heldCheck.notes === check.notes;
    if (!same) steps.push({ kind: 'check-set', node, check });
  }
  return steps.length > 0 ? steps : removeFormer(catalogContents.former ?? []);
}

function removeFormer(former: readonly ServiceInstance[]): readonly CatalogOperation[] {
  const nodes = [...new Set(former.map(({ node }) => node))];
  return [
    ...former.map(({ id, name, node }) => ({ kind: 'service-delete', node, serviceId: id, name }) as const),
    ...nodes.map((node) => ({ kind: 'node-delete', node }) as const),
  ];
}

function nodeStep({ naming, record }: Wanted, catalogContents: CatalogContents): CatalogOperation {
  const [held] = catalogContents.instances;
  const meta = { ...held?.nodeMeta, ...nodeMeta({ naming, name: record.name }) };
  const address = nodeHost({ naming, record });
  const taggedAddresses = Object.fromEntries(
    Object.entries(held?.nodeTaggedAddresses ?? {}).map(([key, one]) => [
      key,
      one === held?.nodeAddress ? address : one,
    ]),
  );
  return { kind: 'node-set', node: nodeOf({ naming, record }, catalogContents), address, meta, taggedAddresses };
}

function nodeOf({ naming, record }: Pick<Wanted, 'naming' | 'record'>, { node }: CatalogContents): string {
  return node ?? externalNode(naming, record.name);
}

/** The external node has the host of the master, as clients reach it. */
function nodeHost({ naming, record }: Pick<Wanted, 'naming' | 'record'>): string {
  return publishedAddress(naming.publish, { name: record.name, address: record.master }).host;
}

function nodeHolds({ naming, record }: Wanted, catalogContents: CatalogContents): boolean {
  const held = catalogContents.instances[0];
  if (held === undefined || held.nodeAddress !== nodeHost({ naming, record })) return false;
  return Object.entries(nodeMeta({ naming, name: record.name })).every(([key, value]) => held.nodeMeta[key] === value);
}

function wantedKeys({ naming, record }: Wanted): readonly (readonly [string, string])[] {
  const key = plainKey(naming, record.name);
  return [
    [key, formatAddress(record.master)],
    [`${key}/host`, record.master.host],
    [`${key}/port`, String(record.master.port)],
    [`${key}/epoch`, String(record.epoch)],
  ];
}

/** The master first, then the replicas in order. */
function wantedServices(wanted: Wanted, catalogContents: CatalogContents): readonly WantedService[] {
  const { record } = wanted;
  const serviceOf = (what: Omit<Parameters<typeof makeService>[1], 'node'>) => {
    const held = catalogContents.instances.find(({ id }) => id === what.id);
    return withAttached(makeService(wanted, { ...what, node: nodeOf(wanted, catalogContents) }), held, {
      naming: wanted.naming,
      names: wanted.names ?? (() => []),
    });
  };
  const master = serviceOf({ kind: masterService, id: masterService, address: record.master });
  const opinions = new Map(wanted.replicas.map(({ address, opinion }) => [formatAddress(address), opinion]));
  const replicas = record.replicas.map((address) => {
    const service = serviceOf({ kind: replicaService, id: `${replicaService}-${formatAddress(address)}`, address });
    const fallback = { status: 'critical', output: 'Sentinel: not seen yet' } as const;
    return withCheck(
      service,
      opinions.get(formatAddress(address)) ?? heldOpinion({ id: service.id, address }, catalogContents) ?? fallback,
    );
  });
  const opinion = wanted.master ?? heldMasterCheck(catalogContents, record.master) ?? masterChecks.unknown;
  return [withCheck(master, opinion), ...replicas];
}

function makeService(
  { naming, record }: Wanted,
  what: { readonly kind: string; readonly id: string; readonly address: Address; readonly node: string },
): CatalogService {
  const labels = labelsOn(what.node, { naming, name: record.name });
  const recorded = what.address;
  const published = publishedAddress(naming.publish, { name: record.name, address: recorded });
  const version = { generation: String(record.generation), epoch: String(record.epoch) };
  return {
    id: what.id,
    name: what.kind,
    address: published.host,
    port: published.port,
    tags: [...new Set(labels)],
    meta: { master: record.name, ...version, ...publicationMeta({ recorded, published }) },
  };
}

function withCheck(service: CatalogService, { status, output, code }: Opinion): WantedService {
  const check = {
    id: bridgeCheckId(service.id),
    serviceId: service.id,
    serviceName: service.name,
    name: 'Sentinel',
  } as const;
  return { service, check: { ...check, status, output, ...(code === undefined ? {} : { notes: code }) } };
}

/** The check of a master as Consul holds it; undefined where its service has another address, or does not exist. */
export function heldMasterCheck(catalogContents: CatalogContents, master: Address): Opinion | undefined {
  return heldOpinion({ id: masterService, address: master }, catalogContents);
}

/** While no Sentinel has an opinion, a check keeps what it reports for the same address. */
function heldOpinion(
  { id, address }: { readonly id: string; readonly address: Address },
  catalogContents: CatalogContents,
): Opinion | undefined {
  const held = catalogContents.instances.find(
    (instance) => instance.id === id && sameAddress(recordedAddress(instance), address),
  );
  const check = held?.checks.find((one) => one.id === bridgeCheckId(id));
  if (check === undefined) return undefined;
  const code = readMasterCheckCode(check.notes);
  return { status: check.status, output: check.output, ...(code === undefined ? {} : { code }) };
}

function sameService(service: CatalogService, held: ServiceInstance): boolean {
  return (
    held.name === service.name &&
    held.address === service.address &&
    held.port === service.port &&
    held.tags.length === service.tags.length &&
    service.tags.every((tag) => held.tags.includes(tag)) &&
    [...new Set([...Object.keys(service.meta), ...Object.keys(held.meta)])].every(
      (key) => held.meta[key] === service.meta[key],
    )
  );
}

/** Deletes our services on the node that the record does not want. */
function surplus(catalogContents: CatalogContents, wanted: readonly WantedService[], node: string): CatalogOperation[] {
  const ids = new Set(wanted.map(({ service }) => service.id));
  return catalogContents.instances
    .filter(({ id, name }) => (name === masterService || name === replicaService) && !ids.has(id))
    .map(({ id, name }) => ({ kind: 'service-delete', node, serviceId: id, name }));
}
