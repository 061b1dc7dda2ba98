import type { MasterState, OutcomeState } from '../../http/views.ts';
import { type Address, formatAddress, sameAddress } from '../../model/address.ts';
import { type HealthCode, makeReason, type Reason } from '../../model/health.ts';
import type { Severity } from '../../model/severity.ts';
import { describeStop } from './outcome.ts';
import { judgeReplicas } from './replica.ts';

export interface JudgedMaster {
  readonly master: MasterState;
  /** Of the bridge's last run about it. */
  readonly lastOutcome: OutcomeState | undefined;
  readonly nowMs: number;
}

/**
 * How long a change of master may take to settle, from the record's `changedAt`: Sentinel announces a promotion once the
 * replicas are reconfigured, the other Sentinels take it over within two seconds, and Sentinel turns a former master
 * that comes back into a replica after some ten seconds.
 */
const settlingMs = 30_000;

/** Whether one master is well, and why not. */
export function judgeMaster(judged: JudgedMaster): readonly Reason[] {
  const { master, lastOutcome } = judged;
  const { name, record } = master;
  const problems = judgeProblems(judged);
  const stop = describeStop(lastOutcome);
  const known = new Set(master.problems.map(({ message }) => message));
  const last = stop === undefined || known.has(stop.text) ? [] : [reasonOf(name, `master-${stop.kind}`, stop.text)];
  if (record === null)
    return [reasonOf(name, 'master-unrecorded', 'Consul holds no record of it yet.'), ...problems, ...last];
  return [
    ...judgeCheck(master),
    ...problems,
    ...last,
    ...judgePhase(judged),
    ...judgeVotes(judged),
    ...judgeReplicas({ master, settling: isSettling(judged) }),
  ];
}

/** Whether its master changed so recently that what is still different passes by itself. */
function isSettling({ master: { record }, nowMs }: JudgedMaster): boolean {
  return record !== null && record.previous !== null && nowMs - Date.parse(record.changedAt) < settlingMs;
}

function reasonOf(
  name: string,
  code: HealthCode,
  text: string,
  more: { address?: string; level?: Severity } = {},
): Reason {
  const { address, level } = more;
  const subject = { kind: 'master', name, ...(address === undefined ? {} : { address }) } as const;
  return makeReason({ code, subject, text, ...(level === undefined ? {} : { level }) });
}

function judgeCheck({ name, check }: MasterState): readonly Reason[] {
  if (check === null || check.status === 'passing') return [];
  const code = check.status === 'critical' ? 'master-down' : 'master-suspected';
  return [reasonOf(name, code, `Its check is ${check.status}: ${check.output}.`)];
}

function judgeProblems(judged: JudgedMaster): readonly Reason[] {
  const { name, problems } = judged.master;
  return problems.map(({ kind, message }) => {
    if (kind === 'held') return reasonOf(name, 'master-held', message);
    // The other Sentinels take a new master over within seconds.
    if (kind === 'sentinels-disagree' && isSettling(judged)) return reasonOf(name, kind, message, { level: 'well' });
    return reasonOf(name, kind, message);
  });
}

function judgePhase(judged: JudgedMaster): readonly Reason[] {
  const { name, record } = judged.master;
  if (record?.phase !== 'promoted') return [];
  if (isSettling(judged))
    return [reasonOf(name, 'master-settling', 'Its promotion waits for confirmation by Sentinel.')];
  return [
    reasonOf(
      name,
      'promotion-unconfirmed',
      `Sentinel has not confirmed the promotion for ${settlingMs / 1_000} seconds.`,
    ),
  ];
}

type Vote = MasterState['sentinels'][number];

/** Without a majority of the Sentinels nobody fails over; a record that a majority contradicts may be wrong. */
function judgeVotes(judged: JudgedMaster): readonly Reason[] {
  const { name, record, sentinels, problems } = judged.master;
  const unreachable = sentinels.filter(({ state }) => state === 'unreachable');
  const away = unreachable.map(({ address }) => {
    const sentinel = formatAddress(address);
    return reasonOf(name, 'sentinel-unreachable', `Sentinel ${sentinel} cannot be reached.`, { address: sentinel });
  });
  const voters = sentinels.filter((vote) => vote.state !== 'unreachable' && vote.master !== null);
  const lost = `Only ${voters.length} of ${voters.length + unreachable.length} Sentinels can be reached: nobody can elect a new master.`;
  if (unreachable.length > 0 && voters.length <= unreachable.length) away.push(reasonOf(name, 'sentinels-lost', lost));
  // A majority adopts the new master only when Sentinel announces it.
  if (record === null || record.phase === 'promoted' || isSettling(judged)) return away;
  const differing = voters.filter((vote) => !agrees(vote, record));
  const unbacked = `${voters.length - differing.length} of ${voters.length} Sentinels that answer agree with the record.`;
  const described = problems.some(({ kind }) => kind === 'sentinels-disagree');
  return [
    ...away,
    ...(differing.length > 0 && differing.length * 2 >= voters.length
      ? [reasonOf(name, 'record-unbacked', unbacked)]
      : []),
    ...(described ? [] : differing.map((vote) => differs(name, vote))),
  ];
}

function agrees(vote: Vote, record: { readonly master: Address; readonly epoch: number }): boolean {
  return vote.master !== null && sameAddress(vote.master, record.master) && vote.epoch === record.epoch;
}

function differs(name: string, { address, master, epoch }: Vote): Reason {
  const sentinel = formatAddress(address);
  const named = master === null ? 'no master' : formatAddress(master);
  const text = `Sentinel ${sentinel} differs from the record: it names ${named} at epoch ${epoch ?? 'unknown'}.`;
  return reasonOf(name, 'sentinel-differs', text, { address: sentinel });
}
