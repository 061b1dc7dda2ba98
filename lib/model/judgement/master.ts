import type { Opinion } from '../check-opinion.ts';
import { type HealthCode, makeReason, type Reason } from '../health.ts';
import { masterChecks, servedCondition } from '../master-check.ts';
import type { MasterProblem } from '../problem.ts';
import type { MasterRecord } from '../record.ts';
import type { Severity } from '../severity.ts';
import { judgeReplicas, type ObservedReplica } from './replicas.ts';
import { judgeSecondMasters, type ObservedSecondMaster } from './second-masters.ts';
import { judgeAgreement, judgeReach, judgeTilt, type ObservedVote, sentinelToAsk } from './votes.ts';

/** What is known of one master. The daemon has it in memory; the doctor has read it from the servers. */
export interface ObservedMaster {
  readonly name: string;
  readonly record: Pick<MasterRecord, 'master' | 'epoch' | 'phase' | 'previous' | 'changedAt'> | null;
  /** undefined where nothing says which ones there are. */
  readonly replicas: readonly ObservedReplica[] | undefined;
  readonly sentinels: readonly ObservedVote[];
  /** The Sentinels' opinion of the master; null where they have none. */
  readonly check: Opinion | null;
  readonly problems: readonly MasterProblem[];
  /** Servers that answer as a master beside the record's. */
  readonly secondMasters: readonly ObservedSecondMaster[];
}

export interface JudgedMaster {
  readonly master: ObservedMaster;
  /** Why the bridge's last run about it stopped; undefined where it did what it should, or there is no bridge. */
  readonly stop: { readonly kind: 'held' | 'failed'; readonly text: string } | undefined;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

/**
 * How long a change of master may take to settle, from the record's `changedAt`: Sentinel announces a promotion once the
 * replicas are reconfigured, the other Sentinels take it over within two seconds, and Sentinel turns a former master
 * that comes back into a replica after some ten seconds.
 */
const settlingMs = 30_000;

/** Whether one master is well, and why not. The daemon and the doctor both judge by this. */
export function judgeMaster(judged: JudgedMaster): readonly Reason[] {
  const { master, stop } = judged;
  const { name, record, sentinels, replicas, secondMasters } = master;
  const settling = isSettling(judged);
  const known = new Set(master.problems.map(({ message }) => message));
  const described = master.problems.some(({ kind }) => kind === 'sentinels-disagree');
  return [
    ...(record === null ? [reasonOf(name, 'master-unrecorded', 'Consul holds no record of it yet.')] : []),
    ...judgeCheck(master),
    ...(record === null ? [] : judgeSecondMasters({ name, record, secondMasters, settling, nowMs: judged.nowMs })),
    ...judgeProblems(judged),
    ...(stop === undefined || known.has(stop.text) ? [] : [judgeStop(judged, stop)]),
    ...judgePhase(judged),
    ...judgeReach(name, sentinels),
    ...judgeTilt(name, sentinels),
    // A majority adopts the new master only when Sentinel announces it.
    ...(record === null || record.phase === 'promoted' || settling
      ? []
      : judgeAgreement({ name, record, votes: sentinels, described })),
    ...(replicas === undefined
      ? []
      : judgeReplicas({ name, replicas, secondMasters, votes: sentinels, settling: isChanging(judged) })),
  ];
}

/** Whether Sentinel carries out a failover by order, or the master has just changed. */
export function isChanging(
  judged: Pick<JudgedMaster, 'nowMs'> & { readonly master: Pick<ObservedMaster, 'record' | 'check' | 'sentinels'> },
): boolean {
  return isSettling(judged) || isOrdered(judged.master);
}

/** Whether its master changed so recently that the remaining differences disappear by themselves. */
function isSettling({
  master: { record },
  nowMs,
}: Pick<JudgedMaster, 'nowMs'> & { readonly master: Pick<ObservedMaster, 'record'> }): boolean {
  return record !== null && record.previous !== null && nowMs - Date.parse(record.changedAt) < settlingMs;
}

function reasonOf(name: string, code: HealthCode, text: string, level?: Severity): Reason {
  const subject = { kind: 'master', name } as const;
  return makeReason({ code, subject, text, ...(level === undefined ? {} : { level }) });
}

/** Whether Sentinel carries out a failover that somebody ordered: the master serves until its successor does. */
function isOrdered({ check, sentinels }: Pick<ObservedMaster, 'check' | 'sentinels'>): boolean {
  return (
    check?.code === masterChecks.failingOver.code &&
    !sentinels.some(({ flags }) => flags.includes('s_down') || flags.includes('o_down'))
  );
}

function judgeCheck(master: ObservedMaster): readonly Reason[] {
  const { name, check } = master;
  if (check === null || check.status === 'passing') return [];
  if (isOrdered(master)) return [reasonOf(name, 'master-failing-over', 'Sentinel carries out a failover by order.')];
  const isDown = check.status === 'critical' || servedCondition(check) === 'o_down';
  const code = isDown ? 'master-down' : 'master-suspected';
  return [reasonOf(name, code, `Its check is ${check.status}: ${check.output}.`)];
}

function judgeProblems(judged: JudgedMaster): readonly Reason[] {
  const { name, problems, sentinels } = judged.master;
  const ask = sentinelToAsk(sentinels);
  return problems.map(({ kind, message, hint }) => {
    if (kind === 'held') return judgeStop(judged, { kind, text: message });
    // The other Sentinels take a new master over within seconds.
    if (kind === 'sentinels-disagree' && isSettling(judged)) return reasonOf(name, kind, message, 'well');
    return makeReason({ code: kind, subject: { kind: 'master', name }, text: message, ask, hint });
  });
}

/** In a change of master every bridge waits for Sentinel for some seconds. */
function judgeStop(judged: JudgedMaster, { kind, text }: NonNullable<JudgedMaster['stop']>): Reason {
  const passes = kind === 'held' && (isSettling(judged) || isOrdered(judged.master));
  return reasonOf(judged.master.name, `master-${kind}`, text, passes ? 'well' : undefined);
}

function judgePhase(judged: JudgedMaster): readonly Reason[] {
  const { name, record } = judged.master;
  if (record?.phase !== 'promoted') return [];
  if (isSettling(judged))
    return [reasonOf(name, 'master-settling', 'Its promotion waits for confirmation by Sentinel.')];
  const text = `Sentinel has not confirmed the promotion for ${settlingMs / 1_000} seconds.`;
  return [reasonOf(name, 'promotion-unconfirmed', text)];
}
