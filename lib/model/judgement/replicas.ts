import { type Address, formatAddress, isIn, sameAddress } from '../address.ts';
import { type HealthCode, makeReason, type Reason } from '../health.ts';
import type { Lag } from '../lag.ts';
import type { ReplicaView } from '../sentinel.ts';
import { type ObservedVote, sentinelToAsk } from './votes.ts';

export interface ObservedReplica {
  readonly address: Address;
  /** null where it is not known. */
  readonly lag: Lag | null;
  /** What the replica itself reports, which is newer than what the Sentinels say of it. */
  readonly reported?: ReplicaView['condition'];
}

interface JudgedReplicas {
  readonly name: string;
  readonly replicas: readonly ObservedReplica[];
  /** Those that another reason names already. */
  readonly secondMasters: readonly { readonly address: Address }[];
  readonly votes: readonly ObservedVote[];
  /** Its master has just changed: replicas are being reconfigured. */
  readonly settling: boolean;
}

/**
 * If a replica is this far behind, a failover to it loses a noticeable amount of writes. The lag includes the age of the
 * measurement.
 */
const lagLimitMs = 10_000;

/** Which replicas of a master could not take over, and whether there is none at all. */
export function judgeReplicas(judged: JudgedReplicas): readonly Reason[] {
  const { name, replicas, votes } = judged;
  if (replicas.length === 0) {
    const text = 'It has no replica: no failover is possible. Start one with replicaof.';
    return [
      makeReason({
        code: 'master-without-replica',
        subject: { kind: 'master', name },
        text,
        ask: sentinelToAsk(votes),
      }),
    ];
  }
  // No Sentinel answers about replicas.
  if (!votes.some((vote) => vote.master !== null)) return [];
  const reasons = replicas.flatMap((replica) => judgeReplica(judged, replica));
  const isLost = new Set(reasons.filter(({ code }) => code === 'replica-down').map(({ subject }) => subject.address));
  if (replicas.some(({ address }) => !isLost.has(formatAddress(address)))) return reasons;
  return reasons.map((reason) => ({ ...reason, text: `${reason.text} No replica is left: no failover is possible.` }));
}

type Condition = ReplicaView['condition'] | 'not seen';

const texts: Readonly<Record<Exclude<Condition, 'up'>, { readonly code: HealthCode; readonly text: string }>> = {
  s_down: { code: 'replica-down', text: 'is down' },
  'link-down': { code: 'replica-not-replicating', text: 'does not replicate: its link to the master is down' },
  unlinked: { code: 'replica-not-replicating', text: 'does not replicate yet' },
  master: { code: 'replica-not-replicating', text: 'does not replicate: it says that it is a master' },
  'not seen': { code: 'replica-not-replicating', text: 'is known to no Sentinel' },
};

function judgeReplica(judged: JudgedReplicas, { address, lag, reported }: ObservedReplica): readonly Reason[] {
  const { name, votes, settling, secondMasters } = judged;
  const replica = formatAddress(address);
  const subject = { kind: 'master', name, address: replica } as const;
  const condition = reported ?? conditionOf(votes, address);
  const others = secondMasters.map((second) => second.address);
  if (condition === 'master' && isIn(others, address)) return [];
  if (condition !== 'up') {
    const { code, text } = texts[condition];
    const passing = settling && condition !== 's_down';
    return [makeReason({ code, subject, text: `Replica ${replica} ${text}.`, ...(passing ? { level: 'well' } : {}) })];
  }
  const behindMs = lag?.behindMs ?? 0;
  if (behindMs <= lagLimitMs) return [];
  const text = `Replica ${replica} is ${Math.round(behindMs / 1_000)} s behind its master.`;
  return [makeReason({ code: 'replica-lags', subject, text })];
}

/** As most of the Sentinels that see it do. */
function conditionOf(votes: readonly ObservedVote[], address: Address): Condition {
  const counts = new Map<Condition, number>();
  for (const { replicas } of votes) {
    const seen = replicas.find((replica) => sameAddress(replica.address, address));
    if (seen !== undefined) counts.set(seen.condition, (counts.get(seen.condition) ?? 0) + 1);
  }
  const [most] = [...counts].toSorted(([, a], [, b]) => b - a);
  return most?.[0] ?? 'not seen';
}
