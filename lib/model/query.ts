import type { CatalogNode, KvEntry, NodeDetail, ServiceInstance } from './catalog.ts';

/**
 * A query to Consul that can be read once or watched, for template helpers and sources. Without `dc` it goes to the
 * agent's own datacenter.
 */
export type ConsulQuery =
  | { readonly kind: 'key'; readonly key: string; readonly dc?: string }
  | { readonly kind: 'key-tree'; readonly prefix: string; readonly dc?: string }
  | { readonly kind: 'service'; readonly service: string; readonly dc?: string }
  | { readonly kind: 'services'; readonly dc?: string }
  | { readonly kind: 'node'; readonly node: string; readonly dc?: string }
  | { readonly kind: 'nodes'; readonly dc?: string }
  | { readonly kind: 'datacenters' }
  /** Has no value; its index rises when any health check of the datacenter changes. */
  | { readonly kind: 'health'; readonly dc?: string };

/** The value of each query. Lists are sorted, so that equal contents are equal values. */
export interface ConsulAnswers {
  /** undefined if the key does not exist. */
  readonly key: KvEntry | undefined;
  /** Sorted by key. */
  readonly 'key-tree': readonly KvEntry[];
  /** Every instance whatever its health, sorted by node, then id. */
  readonly service: readonly ServiceInstance[];
  /** Tags of each service, both sorted. */
  readonly services: ReadonlyMap<string, readonly string[]>;
  /** undefined if the node does not exist. */
  readonly node: NodeDetail | undefined;
  /** Sorted by name. */
  readonly nodes: readonly CatalogNode[];
  /** Sorted. */
  readonly datacenters: readonly string[];
  readonly health: undefined;
}

export type ConsulAnswer<Q extends ConsulQuery> = ConsulAnswers[Q['kind']];

/** The same text for equal queries. Watches are shared by it. */
export function queryId(query: ConsulQuery): string {
  const dc = 'dc' in query && query.dc !== undefined ? `@${query.dc}` : '';
  switch (query.kind) {
    case 'key':
      return `key(${query.key})${dc}`;
    case 'key-tree':
      return `key-tree(${query.prefix})${dc}`;
    case 'service':
      return `service(${query.service})${dc}`;
    case 'node':
      return `node(${query.node})${dc}`;
    case 'services':
    case 'nodes':
    case 'health':
      return `${query.kind}${dc}`;
    case 'datacenters':
      return query.kind;
  }
}
