import type { ReplicationState } from '../../client/replication-shapes.ts';
import { type Address, formatAddress, isIn, sameAddress } from '../../model/address.ts';
import type { ClusterRecord, ClusterView } from '../../model/cluster.ts';
import type { ClusterDecision } from '../plan.ts';

/** What is known before a manual failover of a cluster's shard. */
export interface ClusterFailoverSituation {
  /** What a majority of the masters agrees on, compared with the record. */
  readonly decision: ClusterDecision;
  readonly views: readonly ClusterView[];
  readonly record: ClusterRecord | undefined;
  /** The replica that shall become master. */
  readonly node: Address;
  /** Its answer to ROLE; undefined where it does not answer. */
  readonly replication: ReplicationState | undefined;
  /** The master that it replicated when the failover was ordered; undefined if that was not known. */
  readonly from: Address | undefined;
  /** How long ago the record changed, and for how long it must not have changed, in milliseconds. */
  readonly recordAgeMs: number;
  readonly settledAfterMs: number;
  /** Why Consul cannot be read, if it cannot. */
  readonly consulOutage: string | undefined;
}

export type ClusterFailoverCheck =
  | { readonly kind: 'ready'; readonly from: Address; readonly epoch: number }
  /** Not yet: the obstacle usually disappears by itself. */
  | { readonly kind: 'waiting'; readonly why: string }
  | { readonly kind: 'refused'; readonly why: string };

/** Whether `node` may take over from its master: a majority of the masters agrees on both, and it is in sync. */
export function checkClusterFailover(situation: ClusterFailoverSituation): ClusterFailoverCheck {
  const { decision, views, node, from, consulOutage } = situation;
  if (consulOutage !== undefined) return refused(`Consul cannot be read: ${consulOutage}`);
  if (decision.kind === 'wait') return waiting(decision.summary);
  const { shards, epoch } = decision.draft;
  const shard = shards.find(({ replicas }) => isIn(replicas, node));
  if (shard === undefined) return describeForeign(situation, decision.draft.shards);
  const { master } = shard;
  if (master === null) return waiting(`the shard of ${formatAddress(node)} has no master`);
  if (from !== undefined && !sameAddress(from, master))
    return refused(`its master changed from ${formatAddress(from)} to ${formatAddress(master)} since the order`);
  if (decision.kind === 'publish') return waiting(`Consul does not have this record yet: ${decision.why}`);
  if (situation.recordAgeMs < situation.settledAfterMs)
    return waiting(`the cluster changed less than ${situation.settledAfterMs / 1_000} s ago`);
  if (isFailed(master, views)) return waiting(`its master ${formatAddress(master)} is down by the other nodes`);
  if (!isKnownTo(master, { node, views }))
    return waiting(`its master ${formatAddress(master)} does not list it as its replica yet`);
  const unfit = describeUnfit(situation);
  return unfit === undefined ? { kind: 'ready', from: master, epoch } : waiting(unfit);
}

/** The master that `node` replicates, as the record has it. */
export function masterInRecord(record: ClusterRecord | undefined, node: Address): Address | undefined {
  return record?.shards.find(({ replicas }) => isIn(replicas, node))?.master ?? undefined;
}

function describeForeign(
  { node, record }: ClusterFailoverSituation,
  shards: ClusterRecord['shards'],
): ClusterFailoverCheck {
  const own = shards.find(({ master }) => master !== null && sameAddress(master, node));
  // Right after a failover, nodes list the old master as one without slots for a moment.
  if (own !== undefined && own.slots.length === 0)
    return waiting(`a majority of the masters lists ${formatAddress(node)} as a master without slots`);
  if (own !== undefined) {
    const list = own.replicas.map(formatAddress).join(', ') || 'it has none';
    return refused(`${formatAddress(node)} is a master already; name one of its replicas (${list})`);
  }
  const isRecorded = masterInRecord(record, node) !== undefined;
  if (isRecorded) return waiting(`a majority of the masters does not list ${formatAddress(node)} as a replica`);
  const all = shards.flatMap(({ replicas }) => replicas.map(formatAddress)).join(', ') || 'none';
  return refused(`${formatAddress(node)} is not a replica of this cluster (those are: ${all})`);
}

function describeUnfit({ node, replication }: ClusterFailoverSituation): string | undefined {
  const at = formatAddress(node);
  if (replication === undefined) return `${at} does not answer`;
  if (replication.role !== 'replica') return `${at} answers as a master`;
  return replication.link === 'connected'
    ? undefined
    : `${at} is not in sync with its master: its link is ${replication.link}`;
}

/** By any node: one that sees it down is enough to wait. */
function isFailed(master: Address, views: readonly ClusterView[]): boolean {
  const nodes = views.flatMap(({ shards }) => shards.flatMap((shard) => shard.nodes));
  return nodes.some(
    ({ health, address }) => health === 'fail' && address !== undefined && sameAddress(address, master),
  );
}

/**
 * Whether the master itself lists the node as a replica: it ignores the request of any other (cluster.c, CLUSTERMSG_TYPE_MFSTART), for
 * example for a second after a failover.
 */
function isKnownTo(
  master: Address,
  { node, views }: { readonly node: Address; readonly views: readonly ClusterView[] },
): boolean {
  const own = views.filter(({ askedAt }) => sameAddress(askedAt, master));
  const shards = own.flatMap(({ nodeId, shards }) =>
    shards.filter(({ nodes }) => nodes.some(({ id }) => id === nodeId)),
  );
  const replicas = shards.flatMap(({ nodes }) => nodes.filter(({ role }) => role === 'replica'));
  return replicas.some(({ address, names = [] }) => isIn(address === undefined ? names : [address, ...names], node));
}

function waiting(why: string): ClusterFailoverCheck {
  return { kind: 'waiting', why };
}

function refused(why: string): ClusterFailoverCheck {
  return { kind: 'refused', why };
}
