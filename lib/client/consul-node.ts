import * as z from 'zod';
import type { ConsulClient } from './consul.ts';
import { read, stringMap } from './consul-shapes.ts';

/** A node of the catalog with the ModifyIndex of everything on it, for check-and-set. */
export interface IndexedNode {
  readonly node: string;
  /** The id of the node's agent; empty for an external node. */
  readonly id: string;
  readonly meta: Readonly<Record<string, string>>;
  readonly modifyIndex: number;
  /** Sorted by id. */
  readonly services: readonly { readonly id: string; readonly name: string; readonly modifyIndex: number }[];
}

const shape = z.object({
  Node: z.object({ Node: z.string(), ID: z.string().default(''), Meta: stringMap, ModifyIndex: z.number() }),
  Services: z
    .record(z.string(), z.object({ ID: z.string(), Service: z.string(), ModifyIndex: z.number() }))
    .nullable()
    .transform((services) => services ?? {}),
});

/** undefined if the node does not exist (Consul 1.8, "HTTP API: Catalog"). Throws `consul-denied` where a rule is missing. */
export async function readIndexedNode(
  client: ConsulClient,
  { node, timeoutMs }: { readonly node: string; readonly timeoutMs: number },
): Promise<IndexedNode | undefined> {
  // It distinguishes a node that does not exist from one that the token may not read.
  const { value } = await client.read({ kind: 'node', node }, { consistency: 'consistent', timeoutMs });
  if (value === undefined) return undefined;
  const what = `node(${node})`;
  const call = {
    method: 'get',
    path: '/catalog/node/{node}',
    params: { node },
    query: { consistent: '' },
    what,
  } as const;
  const json = await client.send(call, { timeoutMs });
  if (json === null) return undefined;
  const { Node, Services } = read(shape, json, what);
  const services = Object.values(Services).map(({ ID, Service, ModifyIndex }) => {
    return { id: ID, name: Service, modifyIndex: ModifyIndex };
  });
  return {
    node: Node.Node,
    id: Node.ID,
    meta: Node.Meta,
    modifyIndex: Node.ModifyIndex,
    services: services.sort((a, b) => (a.id < b.id ? -1 : 1)),
  };
}
