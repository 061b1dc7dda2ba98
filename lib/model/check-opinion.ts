import { type Address, compareAddresses, formatAddress, sameAddress } from './address.ts';
import type { CheckStatus } from './catalog.ts';
import { majorityOf } from './epoch.ts';
import { type MasterCheckCode, masterChecks } from './master-check.ts';
import type { JudgedOutage } from './outage.ts';
import type { ReplicaView, RoleAnswer, SentinelView } from './sentinel.ts';

/** The content of a health check. `output` has no counts or times, because every change of it wakes every watcher. */
export interface Opinion {
  readonly status: CheckStatus;
  readonly output: string;
  /** Of a master. */
  readonly code?: MasterCheckCode | undefined;
}

/** A replica and the Sentinels' opinion of it; undefined where they have none yet. */
export interface ReplicaOpinion {
  readonly address: Address;
  readonly opinion: Opinion | undefined;
}

/**
 * The Sentinels' opinion of a master. Up is passing. `s_down` for any Sentinel is warning. So is `o_down` or a failover,
 * while the failover can still succeed or the master answers; otherwise it is critical. An answer as a replica is warning
 * for a moment, in which the bridge learns of the failover that made it one, and critical after it. A master that no
 * Sentinel monitors any more is warning while it answers as a master. undefined if no Sentinel names this address now.
 */
export function masterOpinion(
  master: Address,
  observed: {
    readonly views: readonly SentinelView[];
    readonly role: RoleAnswer | undefined;
    /** Set where the Sentinels answer and none of them knows this master. */
    readonly unmonitored?: string | undefined;
    /** Set where a master is objectively down or failed over, or was when a Sentinel last answered. */
    readonly outage?: JudgedOutage | undefined;
    /** The check of this master in Consul. */
    readonly held?: Opinion | undefined;
    /** Whether it may still be reached where neither we nor a Sentinel reaches it now. Default: `too-long`. */
    readonly unreached?: 'for-now' | 'too-long';
    /** Whether what other bridges reported of it still counts where we do not reach it. Default: `too-long`. */
    readonly reported?: 'for-now' | 'too-long';
    /** How long a master has answered as a replica, where it does. Default: `too-long`. */
    readonly asReplica?: 'for-now' | 'too-long';
  },
): Opinion | undefined {
  const check = masterCheck(master, observed);
  return check === undefined ? undefined : { status: check.status, output: check.output, code: check.code };
}

function masterCheck(master: Address, observed: Parameters<typeof masterOpinion>[1]): Check | undefined {
  const views = observed.views.filter((view) => sameAddress(view.master, master));
  const says = (condition: SentinelView['condition']) => views.some((view) => view.condition === condition);
  const outage = observed.outage;
  if (outage !== undefined && sameAddress(outage.master, master)) {
    const final = finalChecks[outage.stage];
    const wasAnswering = holdsAny([masterChecks.answering, masterChecks.answeringDoubted], observed.held);
    const answers = final === undefined && !wasAnswering ? undefined : judgeReach(master, outageReach, observed);
    if (answers !== undefined) return answers;
    if (final !== undefined) return final;
    // A bridge knows that the failover cannot succeed. Only such a bridge may end its question.
    if (wasAnswering && roleOf(master, observed.role) === 'unreachable') return masterChecks.answeringDoubted;
  }
  if (says('failover')) return masterChecks.failingOver;
  if (says('o_down')) return masterChecks.down;
  if (isReplica(master, observed)) {
    const mayFailOver = observed.asReplica === 'for-now' && observed.unmonitored === undefined;
    return mayFailOver ? masterChecks.turnedReplica : masterChecks.asReplica;
  }
  if (says('s_down')) return masterChecks.suspected;
  if (observed.unmonitored !== undefined) {
    return judgeReach(master, unmonitoredReach, observed) ?? masterChecks.unmonitoredDown;
  }
  if (isUnreached(master, observed))
    return observed.unreached === 'for-now' ? masterChecks.unreached : masterChecks.unreachable;
  if (views.length > 0) return masterChecks.up;
  return roleOf(master, observed.role) === 'master' ? masterChecks.promoted : undefined;
}

const finalChecks = {
  'under-way': undefined,
  'no-candidate': masterChecks.noCandidate,
  'given-up': masterChecks.givenUp,
  overdue: masterChecks.overdue,
} as const;

type Check = (typeof masterChecks)[keyof typeof masterChecks];

/** What the check is while bridges reach the master, and while one of them does not and asks the others. */
interface ReachChecks {
  readonly reached: Check;
  readonly doubted: Check;
}

const outageReach: ReachChecks = { reached: masterChecks.answering, doubted: masterChecks.answeringDoubted };
const unmonitoredReach: ReachChecks = { reached: masterChecks.unmonitored, doubted: masterChecks.unmonitoredDoubted };

/**
 * The check of a master that only bridges can reach; undefined where none does. A bridge that reaches it always reports that.
 * One that does not writes `doubted` first, which the others correct at once, and becomes critical only if nobody does. So
 * bridges of which some reach the master do not contradict each other, and DNS keeps its address.
 */
function judgeReach(
  master: Address,
  { reached, doubted }: ReachChecks,
  { role: answer, held, reported }: Parameters<typeof masterOpinion>[1],
): Check | undefined {
  const role = roleOf(master, answer);
  if (role === 'master') return reached;
  if (role !== 'unreachable' || held === undefined || held.status === 'critical') return undefined;
  if (held.code === reached.code) return reported === 'for-now' ? reached : doubted;
  return held.code === doubted.code && reported !== 'for-now' ? undefined : doubted;
}

function holdsAny(checks: readonly Check[], held: Opinion | undefined): boolean {
  return checks.some(({ code }) => code === held?.code);
}

/** Whether a check reports that a bridge reaches a master which no Sentinel reaches or monitors. */
export function isReachedByBridge(held: Opinion | undefined): boolean {
  return holdsAny([masterChecks.answering, masterChecks.unmonitored], held);
}

/** Whether a check asks the other bridges whether they reach the master. */
export function isDoubted(held: Opinion | undefined): boolean {
  return holdsAny([masterChecks.answeringDoubted, masterChecks.unmonitoredDoubted], held);
}

/** Whether the master answers as a replica, or as a server of another kind. */
export function isReplica(master: Address, observed: { readonly role: RoleAnswer | undefined }): boolean {
  const role = roleOf(master, observed.role);
  return role === 'replica' || role === 'other';
}

/** Whether neither we nor a Sentinel have reached the master. */
export function isUnreached(
  master: Address,
  observed: { readonly views: readonly SentinelView[]; readonly role: RoleAnswer | undefined },
): boolean {
  const views = observed.views.filter((view) => sameAddress(view.master, master));
  return roleOf(master, observed.role) === 'unreachable' && !views.some((view) => view.linked);
}

function roleOf(master: Address, answer: RoleAnswer | undefined): RoleAnswer['role'] | undefined {
  return answer !== undefined && sameAddress(answer.address, master) ? answer.role : undefined;
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
