import { type Address, formatAddress, sameAddress } from '../address.ts';
import { makeReason, type Reason } from '../health.ts';
import type { MasterRecord } from '../record.ts';
import type { ReplicaView } from '../sentinel.ts';

/** What one Sentinel answers about a master, or that it does not answer. */
export interface ObservedVote {
  readonly address: Address;
  /** `unreachable`, or something else where it answers. */
  readonly state: string;
  /** Why it is unreachable, if that is known. */
  readonly error?: string | null;
  /** null where it does not answer or does not monitor the master. */
  readonly master: Address | null;
  readonly epoch: number | null;
  /** Since when it is in TILT mode: ISO 8601, or `unknown`; null if it is not. */
  readonly tiltSince: string | null;
  /** How many Sentinels must find the master down; null where it does not say. */
  readonly quorum: number | null;
  /** Sentinel's flags of the master. */
  readonly flags: readonly string[];
  readonly replicas: readonly Pick<ReplicaView, 'address' | 'condition'>[];
}

/** Whether the Sentinels can be reached: without a majority of them nobody fails over. */
export function judgeReach(name: string, votes: readonly ObservedVote[]): readonly Reason[] {
  const unreachable = votes.filter(({ state }) => state === 'unreachable');
  const away = unreachable.map((vote) => judgeUnreachable({ kind: 'master', name }, vote));
  const voters = votersOf(votes).length;
  if (unreachable.length === 0 || voters > unreachable.length) return away;
  const text = `Only ${voters} of ${voters + unreachable.length} Sentinels can be reached: nobody can elect a new master.`;
  return [
    ...away,
    makeReason({ code: 'sentinels-lost', subject: { kind: 'master', name }, text, ask: sentinelToAsk(votes) }),
  ];
}

/** A Sentinel in TILT mode finds no master down and leads no failover. It still votes for a leader. */
export function judgeTilt(name: string, votes: readonly ObservedVote[]): readonly Reason[] {
  const voters = votersOf(votes);
  const acting = voters.filter(({ tiltSince }) => tiltSince === null).length;
  const needed = Math.max(1, ...voters.map(({ quorum }) => quorum ?? 1));
  const few =
    acting >= needed
      ? ''
      : ` Only ${acting} of ${votes.length} Sentinels can act, and ${needed} must find the master down: no failover is possible meanwhile.`;
  return voters.flatMap(({ address, tiltSince }) => {
    if (tiltSince === null) return [];
    const sentinel = formatAddress(address);
    const since = tiltSince === 'unknown' ? '' : ` since ${tiltSince}`;
    const text = `Sentinel ${sentinel} is in TILT mode${since}: its clock jumped, or it stood still for 2 s. It acts again after 30 s without that.${few}`;
    const subject = { kind: 'master', name, address: sentinel } as const;
    return [makeReason({ code: 'sentinel-tilt', subject, text, ...(few === '' ? {} : { level: 'critical' }) })];
  });
}

/** A Sentinel that cannot be reached, as a reason about a master or, where it has none, about the bridge. */
export function judgeUnreachable(
  subject: { readonly kind: 'master' | 'part'; readonly name: string },
  { address, error }: Pick<ObservedVote, 'address' | 'error'>,
): Reason {
  const sentinel = formatAddress(address);
  const why = error === undefined || error === null ? '' : ` (${error})`;
  const text = `Sentinel ${sentinel} cannot be reached${why}.`;
  return makeReason({ code: 'sentinel-unreachable', subject: { ...subject, address: sentinel }, text });
}

/** Whether the Sentinels agree with the record: one that a majority contradicts may be wrong. */
export function judgeAgreement(given: {
  readonly name: string;
  readonly record: Pick<MasterRecord, 'master' | 'epoch'>;
  readonly votes: readonly ObservedVote[];
  /** Another reason lists the Sentinels that differ. */
  readonly described: boolean;
}): readonly Reason[] {
  const { name, record, described } = given;
  const voters = votersOf(given.votes);
  const differing = voters.filter((vote) => agreement(vote, record) !== true);
  const text = `${voters.length - differing.length} of ${voters.length} Sentinels that answer agree with the record.`;
  const isUnbacked = differing.length > 0 && differing.length * 2 >= voters.length;
  return [
    ...(isUnbacked ? [makeReason({ code: 'record-unbacked', subject: { kind: 'master', name }, text })] : []),
    ...(described ? [] : differing.map((vote) => describeDifference(name, vote))),
  ];
}

/** Whether a Sentinel names the record's master at the record's epoch; null where it names none, or there is no record. */
export function agreement(
  { master, epoch }: Pick<ObservedVote, 'master' | 'epoch'>,
  record: Pick<MasterRecord, 'master' | 'epoch'> | null,
): boolean | null {
  if (master === null || record === null) return null;
  return sameAddress(master, record.master) && epoch === record.epoch;
}

/** A Sentinel that answers, if one does. */
export function sentinelToAsk(votes: readonly ObservedVote[]): Address | undefined {
  return (votersOf(votes)[0] ?? votes.find(({ state }) => state !== 'unreachable'))?.address;
}

function votersOf(votes: readonly ObservedVote[]): readonly ObservedVote[] {
  return votes.filter(({ state, master }) => state !== 'unreachable' && master !== null);
}

function describeDifference(name: string, { address, master, epoch }: ObservedVote): Reason {
  const sentinel = formatAddress(address);
  const named = master === null ? 'no master' : formatAddress(master);
  const text = `Sentinel ${sentinel} differs from the record: it names ${named} at epoch ${epoch ?? 'unknown'}.`;
  return makeReason({ code: 'sentinel-differs', subject: { kind: 'master', name, address: sentinel }, text });
}
