import { isUtf8 } from 'node:buffer';
import * as z from 'zod';
import { SwitchmasterError } from '../errors.ts';
import {
  type CatalogNode,
  checkStatuses,
  type KvEntry,
  type NodeDetail,
  type ServiceInstance,
} from '../model/catalog.ts';

/*
 * The used parts of the answers of Consul's HTTP API, from version 1.8 on (docs: "HTTP API" of each version). Consul sends
 * null for an empty list or map.
 */
const kvEntry = z.object({
  Key: z.string(),
  Value: z.union([z.string(), z.instanceof(Buffer)]).nullable(),
  ModifyIndex: z.number(),
  Session: z.string().optional(),
});
const tags = z
  .array(z.string())
  .nullable()
  .transform((list) => list ?? []);
/** Consul answers null for an empty map. */
export const stringMap = z
  .record(z.string(), z.string())
  .nullish()
  .transform((map) => map ?? {});
const node = z.object({
  ID: z.string().default(''),
  Node: z.string(),
  Address: z.string(),
  Datacenter: z.string().default(''),
  TaggedAddresses: stringMap,
  Meta: stringMap,
});
const service = z.object({
  ID: z.string(),
  Service: z.string(),
  Address: z.string(),
  // Consul 1.10 and later leave out a port of 0 (structs.go, NodeService).
  Port: z.number().default(0),
  Tags: tags,
  Meta: stringMap,
  Weights: z.object({ Passing: z.number(), Warning: z.number() }).nullish(),
  EnableTagOverride: z.boolean().default(false),
  TaggedAddresses: z.record(z.string(), z.object({ Address: z.string(), Port: z.number().default(0) })).nullish(),
});
const nodeDetail = z.object({
  Node: node,
  Services: z
    .record(z.string(), service)
    .nullable()
    .transform((services) => services ?? {}),
});
const instance = z.object({
  Node: node,
  Service: service,
  Checks: z.array(
    z.object({
      CheckID: z.string(),
      ServiceID: z.string(),
      Name: z.string(),
      // "maintenance" never appears in an API answer, but an unknown state must not count as healthy.
      Status: z.enum(checkStatuses).catch('critical'),
      Output: z.string(),
      Notes: z.string().default(''),
    }),
  ),
});

// Once, because to make a list's shape takes longer than to read a list of one.
const entries = z.array(z.unknown());
const instances = z.array(instance);
const services = z.record(z.string(), tags);
const nodes = z.array(node);

export function readKvEntry(json: unknown, what: string): KvEntry {
  const { Key, Value, ModifyIndex, Session } = read(kvEntry, json, what);
  const bytes = Value ?? '';
  const value = bytes.toString();
  const isText = typeof bytes === 'string' || isUtf8(bytes);
  return {
    ...{ key: Key, value, modifyIndex: ModifyIndex },
    ...(isText ? {} : { base64: bytes.toString('base64') }),
    ...(Session === undefined ? {} : { session: Session }),
  };
}

export function readKvEntries(json: unknown, what: string): readonly KvEntry[] {
  return read(entries, json, what)
    .map((entry) => readKvEntry(entry, what))
    .sort((a, b) => compareText(a.key, b.key));
}

/** `as-given` is Consul's own order, by distance. */
type Order = 'by-name' | 'as-given';

export function readInstances(
  json: unknown,
  { what, order }: { readonly what: string; readonly order: Order },
): readonly ServiceInstance[] {
  const found = read(instances, json, what).map(({ Node, Service, Checks }) => ({
    node: Node.Node,
    nodeAddress: Node.Address,
    nodeMeta: Node.Meta,
    nodeId: Node.ID,
    nodeTaggedAddresses: Node.TaggedAddresses,
    datacenter: Node.Datacenter,
    id: Service.ID,
    name: Service.Service,
    address: Service.Address === '' ? Node.Address : Service.Address,
    port: Service.Port,
    tags: Service.Tags,
    meta: Service.Meta,
    ...attachedTo(Service),
    taggedAddresses: Object.fromEntries(
      Object.entries(Service.TaggedAddresses ?? {}).map(([name, { Address: address, Port: port }]) => {
        return [name, { address, port }];
      }),
    ),
    checks: Checks.map((check) => ({
      id: check.CheckID,
      serviceId: check.ServiceID,
      name: check.Name,
      status: check.Status,
      output: check.Output,
      ...(check.Notes === '' ? {} : { notes: check.Notes }),
    })).sort((a, b) => compareText(a.id, b.id)),
  }));
  if (order === 'as-given') return found;
  return found.sort((a, b) => compareText(a.node, b.node) || compareText(a.id, b.id));
}

/** Consul answers 1 and 1, or 0 and 0 after a transaction, for weights that nobody has set. */
function attachedTo({ Weights, EnableTagOverride }: z.output<typeof service>) {
  const [passing, warning] = [Weights?.Passing ?? 1, Weights?.Warning ?? 1];
  const isUnset = passing === warning && passing <= 1;
  return {
    ...(isUnset ? {} : { weights: { passing, warning } }),
    ...(EnableTagOverride ? { enableTagOverride: true } : {}),
  };
}

export function readServices(json: unknown, what: string): ReadonlyMap<string, readonly string[]> {
  return new Map(
    Object.entries(read(services, json, what))
      .sort(([a], [b]) => compareText(a, b))
      .map(([name, list]) => [name, list.toSorted()]),
  );
}

export function readNodes(
  json: unknown,
  { what, order }: { readonly what: string; readonly order: Order },
): readonly CatalogNode[] {
  const found = read(nodes, json, what).map(toNode);
  return order === 'as-given' ? found : found.sort((a, b) => compareText(a.node, b.node));
}

/** Consul answers null for an unknown node; undefined here. */
export function readNode(json: unknown, what: string): NodeDetail | undefined {
  if (json === null) return undefined;
  const { Node, Services } = read(nodeDetail, json, what);
  return {
    ...toNode(Node),
    services: Object.values(Services)
      .map(({ ID, Service, Address, Port, Tags, Meta }) => ({
        id: ID,
        name: Service,
        address: Address === '' ? Node.Address : Address,
        port: Port,
        tags: Tags,
        meta: Meta,
      }))
      .sort((a, b) => compareText(a.id, b.id)),
  };
}

export function readDatacenters(json: unknown, what: string): readonly string[] {
  return read(z.array(z.string()), json, what).toSorted();
}

export function readSessionId(json: unknown): string {
  return read(z.object({ ID: z.string().min(1) }), json, 'a session').ID;
}

/** The errors of a refused transaction; undefined for any other answer. */
export function readTxnErrors(json: unknown): readonly { readonly step: number; readonly what: string }[] | undefined {
  const shape = z.object({ Errors: z.array(z.object({ OpIndex: z.number(), What: z.string() })).min(1) });
  const parsed = shape.safeParse(json);
  return parsed.success ? parsed.data.Errors.map(({ OpIndex, What }) => ({ step: OpIndex, what: What })) : undefined;
}

/** The ModifyIndex of every key that a committed transaction touched. Without zod: a failover waits for it. */
export function readTxnIndexes(json: unknown): ReadonlyMap<string, number> {
  const results = (json as { Results?: unknown } | null | undefined)?.Results;
  if (results !== null && !Array.isArray(results)) throw invalid('a transaction', 'it has no list of results');
  const indexes = new Map<string, number>();
  for (const result of results ?? []) {
    const KV = (result as { KV?: unknown } | null)?.KV;
    if (KV === undefined) continue;
    const { Key, ModifyIndex } = (KV ?? {}) as { Key?: unknown; ModifyIndex?: unknown };
    if (typeof Key !== 'string' || typeof ModifyIndex !== 'number')
      throw invalid('a transaction', 'a key has no index');
    indexes.set(Key, ModifyIndex);
  }
  return indexes;
}

function toNode({ ID, Node, Address, Datacenter, Meta, TaggedAddresses }: z.output<typeof node>): CatalogNode {
  const taggedAddresses = TaggedAddresses;
  return { id: ID, node: Node, address: Address, datacenter: Datacenter, meta: Meta, taggedAddresses };
}

/** Throws `consul-answer-invalid` for any other shape. */
export function read<S extends z.ZodType>(shape: S, json: unknown, what: string): z.output<S> {
  const parsed = shape.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw invalid(what, `${issue?.message ?? 'unreadable'} at ${issue?.path.join('.') || 'its top'}`, parsed.error);
}

function invalid(what: string, why: string, cause?: Error): SwitchmasterError {
  const message = `Consul's answer about ${what} is not of the documented shape: ${why}`;
  return new SwitchmasterError('consul-answer-invalid', message, { cause });
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
