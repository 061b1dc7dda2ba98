import { type Address, compareAddresses, formatAddress, sameAddress } from './address.ts';
import type { CheckStatus } from './catalog.ts';
import { majorityOf } from './epoch.ts';
import type { ReplicaView, RoleAnswer, SentinelView } from './sentinel.ts';

/** The content of a health check. `output` has no counts or times, because every change of it wakes every watcher. */
export interface Opinion {
  readonly status: CheckStatus;
  readonly output: string;
}

/** A replica and the Sentinels' opinion of it; undefined where they have none yet. */
export interface ReplicaOpinion {
  readonly address: Address;
  readonly opinion: Opinion | undefined;
}

/**
 * The Sentinels' opinion of a master. Up is passing; `s_down` for any Sentinel is warning; `o_down`, a failover, or an
 * answer as a replica is critical. A master that no Sentinel monitors any more is warning while it answers as a master.
 * undefined where no Sentinel names this address now.
 */
export function masterOpinion(
  master: Address,
  observed: {
    readonly views: readonly SentinelView[];
    readonly role: RoleAnswer | undefined;
    /** Set where the Sentinels answer and none of them knows this master. */
    readonly unmonitored?: string | undefined;
  },
): Opinion | undefined {
  const views = observed.views.filter((view) => sameAddress(view.master, master));
  const role =
    observed.role !== undefined && sameAddress(observed.role.address, master) ? observed.role.role : undefined;
  const says = (condition: SentinelView['condition']) => views.some((view) => view.condition === condition);
  if (says('failover')) return { status: 'critical', output: 'Sentinel: failing over' };
  if (says('o_down')) return { status: 'critical', output: 'Sentinel: objectively down' };
  if (role === 'replica' || role === 'other') return { status: 'critical', output: 'answers ROLE as a replica' };
  if (says('s_down')) return { status: 'warning', output: 'Sentinel: subjectively down' };
  if (observed.unmonitored !== undefined) {
    const output = 'no Sentinel monitors it';
    return role === 'master'
      ? { status: 'warning', output }
      : { status: 'critical', output: `${output}, and it does not answer` };
  }
  if (role === 'unreachable' && !views.some((view) => view.linked)) {
    return { status: 'critical', output: 'Sentinel decided for it, but it cannot be reached' };
  }
  if (views.length > 0) return { status: 'passing', output: 'Sentinel: up' };
  return role === 'master' ? { status: 'passing', output: 'promoted by Sentinel' } : undefined;
}

/** The replicas that more than half of the Sentinels of `master` list, sorted. */
export function agreedReplicas(views: readonly SentinelView[], master: Address): readonly Address[] {
  return tally(views, master).map(({ address }) => address);
}

/** The same replicas, each with the Sentinels' opinion. */
export function replicaOpinions(views: readonly SentinelView[], master: Address): readonly ReplicaOpinion[] {
  return tally(views, master).map(({ address, conditions }) => ({ address, opinion: replicaOpinion(conditions) }));
}

/**
 * Replicas have no `o_down`: a replica that a majority sees down is critical, and so is one that answers as a master.
 * Right after a failover Sentinels have no link to any replica: undefined.
 */
function replicaOpinion(conditions: readonly ReplicaView['condition'][]): Opinion | undefined {
  const count = (condition: ReplicaView['condition']) => conditions.filter((said) => said === condition).length;
  const majority = majorityOf(conditions.length);
  if (count('master') > 0) return { status: 'critical', output: 'answers as a master' };
  if (count('s_down') >= majority) return { status: 'critical', output: 'Sentinel: down' };
  if (count('unlinked') === conditions.length) return undefined;
  if (count('s_down') > 0) return { status: 'warning', output: 'Sentinel: subjectively down' };
  if (count('link-down') >= majority) return { status: 'warning', output: 'its link to the master is down' };
  return { status: 'passing', output: 'Sentinel: up' };
}

function tally(
  views: readonly SentinelView[],
  master: Address,
): readonly { readonly address: Address; readonly conditions: readonly ReplicaView['condition'][] }[] {
  const speaking = views.filter((view) => sameAddress(view.master, master));
  const found = new Map<string, { address: Address; conditions: ReplicaView['condition'][] }>();
  for (const replica of speaking.flatMap((view) => view.replicas)) {
    const key = formatAddress(replica.address);
    const entry = found.get(key) ?? { address: replica.address, conditions: [] };
    entry.conditions.push(replica.condition);
    found.set(key, entry);
  }
  return [...found.values()]
    .filter(({ conditions }) => conditions.length * 2 > speaking.length)
    .sort((a, b) => compareAddresses(a.address, b.address));
}
