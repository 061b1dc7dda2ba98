import type { CaLeaf, CaRoot, CatalogNode, KvEntry, NodeDetail, Peering, ServiceInstance } from './catalog.ts';

/**
 * A query to Consul that can be read once or watched, for template helpers and sources. Without `dc` it goes to the
 * agent's own datacenter.
 */
export type ConsulQuery =
  | { readonly kind: 'key'; readonly key: string; readonly dc?: string }
  | { readonly kind: 'key-tree'; readonly prefix: string; readonly dc?: string }
  /** `near`: sorted by the distance to this node, or to the agent's own with `_agent`. */
  | { readonly kind: 'service'; readonly service: string; readonly dc?: string; readonly near?: string }
  /** The proxies of Consul's service mesh in front of a service, and its instances that speak it themselves. */
  | { readonly kind: 'connect'; readonly service: string; readonly dc?: string; readonly near?: string }
  | { readonly kind: 'services'; readonly dc?: string }
  | { readonly kind: 'node'; readonly node: string; readonly dc?: string }
  | { readonly kind: 'nodes'; readonly dc?: string; readonly near?: string }
  | { readonly kind: 'datacenters' }
  /** The name of the agent's own node. */
  | { readonly kind: 'agent-node' }
  | { readonly kind: 'ca-roots' }
  /** A certificate of the service mesh for a service; the agent makes and renews it. */
  | { readonly kind: 'ca-leaf'; readonly service: string }
  | { readonly kind: 'peerings' }
  /** Has no value; its index rises when any health check of the datacenter changes. */
  | { readonly kind: 'health'; readonly dc?: string };

/** The value of each query. Lists are sorted, so that equal contents are equal values. */
export interface ConsulAnswers {
  /** undefined if the key does not exist. */
  readonly key: KvEntry | undefined;
  /** Sorted by key. */
  readonly 'key-tree': readonly KvEntry[];
  /** Every instance whatever its health, sorted by node, then id, or by the distance where the query has `near`. */
  readonly service: readonly ServiceInstance[];
  readonly connect: readonly ServiceInstance[];
  /** Tags of each service, both sorted. */
  readonly services: ReadonlyMap<string, readonly string[]>;
  /** undefined if the node does not exist. */
  readonly node: NodeDetail | undefined;
  /** Sorted by name. */
  readonly nodes: readonly CatalogNode[];
  /** Sorted. */
  readonly datacenters: readonly string[];
  readonly 'agent-node': string;
  readonly 'ca-roots': readonly CaRoot[];
  readonly 'ca-leaf': CaLeaf;
  /** Sorted by name. */
  readonly peerings: readonly Peering[];
  readonly health: undefined;
}

export type ConsulAnswer<Q extends ConsulQuery> = ConsulAnswers[Q['kind']];

/** The same text for equal queries. Watches are shared by it. */
export function queryId(query: ConsulQuery): string {
  const near = 'near' in query && query.near !== undefined ? `~${query.near}` : '';
  const dc = ('dc' in query && query.dc !== undefined ? `@${query.dc}` : '') + near;
  switch (query.kind) {
    case 'key':
      return `key(${query.key})${dc}`;
    case 'key-tree':
      return `key-tree(${query.prefix})${dc}`;
    case 'service':
    case 'connect':
    case 'ca-leaf':
      return `${query.kind}(${query.service})${dc}`;
    case 'node':
      return `node(${query.node})${dc}`;
    case 'services':
    case 'nodes':
    case 'health':
      return `${query.kind}${dc}`;
    case 'datacenters':
    case 'agent-node':
    case 'ca-roots':
    case 'peerings':
      return query.kind;
  }
}
