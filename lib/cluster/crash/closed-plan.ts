import { type Address, isIn, sameAddress } from '../../model/address.ts';
import type { ClusterRecord, ClusterView } from '../../model/cluster.ts';

/** A master with slots, as the record and the nodes listed it before its connection was closed. */
export interface ListedMaster {
  readonly id: string;
  /** As the record has it. */
  readonly master: Address;
  /** The node ids of its replicas. */
  readonly replicas: readonly string[];
  /** The highest cluster_current_epoch of all views. */
  readonly epoch: number;
}

/** A master to which a connection was closed. */
export interface ClosedAt {
  readonly askedAt: Address;
  readonly listed: ListedMaster;
  /** Milliseconds of `performance.now()`. */
  readonly closedMs: number;
}

/** The master at which a connection was closed; undefined where `address` is not one of a master with slots. */
export function findClosedMaster(
  address: Address,
  { record, views }: { readonly record: ClusterRecord | undefined; readonly views: readonly ClusterView[] },
): ListedMaster | undefined {
  const id = views.find(({ askedAt }) => sameAddress(askedAt, address))?.nodeId;
  const shards = views.flatMap((view) => view.shards).filter(({ nodes }) => nodes.some((node) => node.id === id));
  const own = shards.flatMap(({ nodes }) => nodes).filter((node) => node.id === id);
  const names = [
    address,
    ...own.flatMap((node) => [...(node.address === undefined ? [] : [node.address]), ...(node.names ?? [])]),
  ];
  const shard = record?.shards.find(({ master, slots }) => master !== null && slots.length > 0 && isIn(names, master));
  if (id === undefined || shard === undefined || shard.master === null) return undefined;
  const replicas = shards
    .flatMap(({ nodes }) => nodes)
    .filter(({ role, health }) => role === 'replica' && health !== 'fail');
  return {
    id,
    master: shard.master,
    replicas: [...new Set(replicas.map((node) => node.id))],
    epoch: Math.max(0, ...views.map(({ epoch }) => epoch)),
  };
}

/** The masters with slots. */
export function mastersOf(record: ClusterRecord | undefined): readonly Address[] {
  return (record?.shards ?? []).flatMap(({ master, slots }) => (master === null || slots.length === 0 ? [] : master));
}
