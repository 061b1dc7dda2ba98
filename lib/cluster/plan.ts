import {
  type Address,
  compareAddresses,
  distinctAddresses,
  formatAddress,
  isIn,
  isIpAddress,
  sameAddress,
} from '../model/address.ts';
import {
  type ClusterRecord,
  type ClusterShard,
  type ClusterView,
  type ClusterViewShard,
  compareShards,
  normalizeRanges,
  uncoveredBy,
} from '../model/cluster.ts';
import { majorityOf } from '../model/epoch.ts';

/*
 * The map of a cluster, from the views of its nodes. As in the cluster itself, the masters with slots vote, and dead ones
 * count: a view is agreed on when more than half of the masters that it lists hold it. An isolated node has an old view,
 * which no majority holds.
 */

export interface ClusterSituation {
  readonly views: readonly ClusterView[];
  /** Why nodes did not return their views; the summary shows the first where there is no majority. */
  readonly refusals?: readonly string[];
  /** The record in Consul; undefined if there is none. */
  readonly held: ClusterRecord | undefined;
  /** Since when a majority has agreed on an epoch below the record's; undefined where it does not. */
  readonly behindSinceMs: number | undefined;
  readonly nowMs: number;
  /** How long a lower epoch must last before the cluster counts as rebuilt. */
  readonly rebaseAfterMs: number;
}

type ClusterDraft = Pick<ClusterRecord, 'epoch' | 'state' | 'uncovered' | 'shards'>;

export type ClusterDecision =
  | ({ readonly kind: 'publish'; readonly why: string } & Decided)
  | ({ readonly kind: 'keep' } & Decided)
  | { readonly kind: 'wait'; readonly why: 'no-majority' | 'behind'; readonly summary: string };

interface Decided {
  readonly draft: ClusterDraft;
  readonly moving: Moving;
  readonly unwell: readonly UnwellNode[];
}

/** A node that does not serve, as most of the nodes of the agreed view see it. */
export interface UnwellNode {
  readonly address: Address;
  readonly health: 'fail' | 'loading';
}

/** `moving` while nodes differ, or know an epoch that the map does not show yet: the next poll should come soon. */
export type Moving = 'moving' | 'still';

export function decideCluster(situation: ClusterSituation): ClusterDecision {
  const { views, held } = situation;
  const best = agreedView(views, held);
  if (best === undefined) {
    const reason = [`${views.length} nodes answer`, ...(situation.refusals ?? []).slice(0, 1)].join('; ');
    const summary = `no view of the cluster has a majority of its masters (${reason})`;
    return { kind: 'wait', why: 'no-majority', summary };
  }
  const { draft, voters, unwell } = best;
  const highest = Math.max(...views.map(({ epoch }) => epoch));
  const moving = voters.length < views.length || highest > draft.epoch ? 'moving' : 'still';
  if (held === undefined) return { kind: 'publish', draft, why: 'first record of the cluster', moving, unwell };
  if (draft.epoch < held.epoch && !rebuilt(situation)) {
    const summary = `the nodes are at epoch ${draft.epoch}, the record is at ${held.epoch}`;
    return { kind: 'wait', why: 'behind', summary };
  }
  const why = difference(held, draft);
  return why === undefined ? { kind: 'keep', draft, moving, unwell } : { kind: 'publish', draft, why, moving, unwell };
}

interface Agreed {
  readonly draft: ClusterDraft;
  readonly voters: readonly ClusterView[];
  readonly unwell: readonly UnwellNode[];
}

function agreedView(views: readonly ClusterView[], held: ClusterRecord | undefined): Agreed | undefined {
  const groups = Map.groupBy(views, (view) => ownership(view));
  const recorded = (held?.shards ?? []).flatMap(({ master, replicas }) =>
    master === null ? replicas : [master, ...replicas],
  );
  const agreed = [...groups.values()].filter(hasMajority).map((voters) => toAgreed(voters, recorded));
  // Two maps can each have a majority of their own masters only while slots move between more masters than before.
  return agreed.sort((a, b) => b.draft.epoch - a.draft.epoch || b.voters.length - a.voters.length)[0];
}

/** Which master serves which slots. Views with equal texts agree. */
function ownership({ shards }: ClusterView): string {
  return JSON.stringify(
    shards
      .filter(({ slots }) => slots.length > 0)
      .map(({ slots, nodes }) => [slots, masterOf(nodes)?.id ?? null] as const)
      .sort(([a], [b]) => (a[0]?.from ?? 0) - (b[0]?.from ?? 0)),
  );
}

function hasMajority(views: readonly ClusterView[]): boolean {
  const masters = new Set(
    (views[0]?.shards ?? []).filter(({ slots }) => slots.length > 0).flatMap(({ nodes }) => masterOf(nodes)?.id ?? []),
  );
  const votes = new Set(views.map(({ nodeId }) => nodeId).filter((id) => masters.has(id)));
  return masters.size > 0 && votes.size >= majorityOf(masters.size);
}

function toAgreed(voters: readonly ClusterView[], recorded: readonly Address[]): Agreed {
  const addresses = addressBook(voters, recorded);
  const lists = voters.map(({ shards }) => shards.filter(matters).map((shard) => toShard(shard, addresses)));
  // All of these views have the same slots. More than half of them decide which node replicates which.
  const shards = (lists[0] ?? []).flatMap((shard) => {
    const same = lists.flatMap((list) => list.filter((other) => sameMaster(other.master, shard.master)));
    const replicas = distinctAddresses(same.flatMap((other) => other.replicas)).filter(
      (replica) =>
        same.filter((other) => other.replicas.some((one) => sameAddress(one, replica))).length * 2 > same.length,
    );
    const known = same.length * 2 > voters.length;
    return shard.slots.length > 0 || known ? [{ ...shard, replicas: replicas.sort(compareAddresses) }] : [];
  });
  const served = (voters[0]?.shards ?? []).flatMap(({ slots, nodes }) =>
    masterOf(nodes)?.health === 'fail' || masterOf(nodes) === undefined ? [] : slots,
  );
  const failing = voters.filter(({ state }) => state === 'fail').length * 2 > voters.length;
  return {
    voters,
    unwell: unwellNodes(voters, addresses),
    draft: {
      epoch: Math.max(...voters.map(({ epoch }) => epoch)),
      state: failing ? 'fail' : 'ok',
      uncovered: uncoveredBy(served),
      shards: shards.toSorted(compareShards),
    },
  };
}

function unwellNodes(voters: readonly ClusterView[], addresses: ReadonlyMap<string, Address>): readonly UnwellNode[] {
  const nodes = Map.groupBy(
    voters.flatMap(({ shards }) => shards.flatMap((shard) => shard.nodes)),
    ({ id }) => id,
  );
  return [...nodes].flatMap(([id, seen]) => {
    const address = addresses.get(id);
    const [down, loading] = (['fail', 'loading'] as const).map(
      (state) => seen.filter((node) => node.health === state).length,
    ) as [number, number];
    // When a node comes back, some still see it down, and the others see that it loads.
    const isUnwell = (down + loading) * 2 > voters.length;
    return address === undefined || !isUnwell ? [] : [{ address, health: down < loading ? 'loading' : 'fail' }];
  });
}

/** A dead master without slots has been replaced. Nodes list it until it is back, or until CLUSTER FORGET. */
function matters({ slots, nodes }: ClusterViewShard): boolean {
  return slots.length > 0 || masterOf(nodes)?.health !== 'fail';
}

/**
 * The address of each node. Nodes with other settings (cluster-preferred-endpoint-type, cluster-announce-hostname) list
 * one node by its IP address or by its hostname. The record's address counts while any node lists it, else the one that most
 * nodes list, an IP address before a hostname. A node that is listed without an address has the one at which it answered.
 */
function addressBook(views: readonly ClusterView[], recorded: readonly Address[]): ReadonlyMap<string, Address> {
  const nodes = views.flatMap(({ shards }) => shards.flatMap((shard) => shard.nodes));
  const answered = views.map(({ nodeId, askedAt }) => [nodeId, askedAt] as const);
  const listed = [...Map.groupBy(nodes, ({ id }) => id)].flatMap(([id, same]) => {
    const address = preferred(
      same.flatMap((node) => node.address ?? []),
      recorded,
    );
    return address === undefined ? [] : [[id, address] as const];
  });
  return new Map([...answered, ...listed]);
}

function preferred(named: readonly Address[], recorded: readonly Address[]): Address | undefined {
  const votes = Map.groupBy(named, formatAddress);
  const rank = ({ host }: Address) => (isIpAddress(host) ? 0 : 1);
  const sorted = distinctAddresses(named).sort(
    (a, b) =>
      (votes.get(formatAddress(b))?.length ?? 0) - (votes.get(formatAddress(a))?.length ?? 0) ||
      rank(a) - rank(b) ||
      compareAddresses(a, b),
  );
  return sorted.find((address) => isIn(recorded, address)) ?? sorted[0];
}

function toShard({ slots, nodes }: ClusterViewShard, addresses: ReadonlyMap<string, Address>): ClusterShard {
  const master = masterOf(nodes);
  const replicas = nodes
    .filter(({ id, role, health }) => id !== master?.id && role === 'replica' && health !== 'fail')
    .flatMap(({ id }) => addresses.get(id) ?? []);
  return {
    slots: normalizeRanges(slots),
    master: master === undefined ? null : (addresses.get(master.id) ?? null),
    replicas,
  };
}

/** The live one of two masters in one shard: Redis 7.2 and later list a dead one beside its successor. */
function masterOf(nodes: ClusterViewShard['nodes']) {
  const masters = nodes.filter(({ role }) => role === 'master');
  return masters.find(({ health }) => health !== 'fail') ?? masters[0];
}

function rebuilt({ behindSinceMs, nowMs, rebaseAfterMs }: ClusterSituation): boolean {
  return behindSinceMs !== undefined && nowMs - behindSinceMs >= rebaseAfterMs;
}

/** What changed, as a sentence; undefined where nothing did. The epoch alone is no change: it grows without one. */
function difference(held: ClusterRecord, draft: ClusterDraft): string | undefined {
  if (draft.epoch < held.epoch) return `the cluster was rebuilt: epoch ${draft.epoch} after ${held.epoch}`;
  if (held.state !== draft.state) return `cluster_state is ${draft.state}`;
  const before = new Set(held.shards.flatMap(({ master }) => (master === null ? [] : formatAddress(master))));
  const after = new Set(draft.shards.flatMap(({ master }) => (master === null ? [] : formatAddress(master))));
  const fresh = [...after].filter((address) => !before.has(address));
  const gone = [...before].filter((address) => !after.has(address));
  if (fresh.length + gone.length > 0) {
    return [
      fresh.length > 0 ? `new masters: ${fresh.join(', ')}` : '',
      gone.length > 0 ? `no longer: ${gone.join(', ')}` : '',
    ]
      .filter((part) => part !== '')
      .join('; ');
  }
  if (JSON.stringify(held.shards.map(({ slots }) => slots)) !== JSON.stringify(draft.shards.map(({ slots }) => slots)))
    return 'slots moved';
  if (JSON.stringify(held.uncovered) !== JSON.stringify(draft.uncovered)) return 'other slots are uncovered';
  return JSON.stringify(held.shards) === JSON.stringify(draft.shards) ? undefined : 'replicas changed';
}

function sameMaster(a: Address | null, b: Address | null): boolean {
  return a === null || b === null ? a === b : sameAddress(a, b);
}
