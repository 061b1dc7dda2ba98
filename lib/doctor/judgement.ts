import { type Address, formatAddress, isIn, sameAddress } from '../model/address.ts';
import { Aliases, canonicalize, namedIn } from '../model/aliases.ts';
import { masterOpinion } from '../model/check-opinion.ts';
import type { HealthCode, Reason } from '../model/health.ts';
import { type ConsulState, judgeConsul, judgeIgnoredKeys } from '../model/judgement/consul.ts';
import type { Limit } from '../model/judgement/limits.ts';
import { judgeMaster, type ObservedMaster } from '../model/judgement/master.ts';
import { type Expectation, findProblems } from '../model/judgement/problems.ts';
import type { ObservedReplica } from '../model/judgement/replicas.ts';
import { judgeUnreachable, type ObservedVote } from '../model/judgement/votes.ts';
import { dnsSafe } from '../model/naming.ts';
import { findSameMaster } from '../model/other-environment.ts';
import { judgeOutage, trackOutage } from '../model/outage.ts';
import type { MasterRecord } from '../model/record.ts';
import { conditionFlags, countsUnasked, type ReplicaView, type RoleAnswer } from '../model/sentinel.ts';
import type {
  Examination,
  ExaminedConsul,
  ExaminedMaster,
  ExaminedRedis,
  ExaminedSentinel,
  SentinelOpinion,
} from './examination.ts';
import type { Finding } from './rule.ts';
import { secondMastersOf } from './second-masters.ts';

/* What `GET /v1/health` says too. The functions that judge are the same; the observations are the doctor's own. */

/** The codes of `GET /v1/health` that the doctor reports too, as rules. */
export const judgedCodes = [
  'consul-unreachable',
  'record-unreadable',
  'second-master',
  'record-unbacked',
  'master-down',
  'master-suspected',
  'promotion-unconfirmed',
  'sentinels-lost',
  'sentinel-unreachable',
  'sentinel-tilt',
  'sentinel-differs',
  'sentinels-disagree',
  'sentinel-uncounted',
  'master-without-replica',
  'replica-down',
  'replica-not-replicating',
  'redis-denied',
  'redis-unreached',
  'foreign-instance',
  'foreign-check',
  'other-environment',
  'loopback-published',
] as const satisfies readonly HealthCode[];

/** What is not well, each once. A missing record is no fault: the doctor also runs before the first bridge does. */
export function judgeExamination(examination: Examination): readonly Finding[] {
  const { consul, masters, atMs: nowMs } = examination;
  const reasons = [
    ...judgeConsul(consulState(consul)),
    ...judgeIgnoredKeys(consul.records?.ignoredKeys ?? [], consul.scope),
    ...masters.flatMap((master) => judgeMaster({ master: observe(master, examination), stop: undefined, nowMs })),
    ...judgeUnlisted(examination),
  ];
  const findings = reasons.flatMap(toFinding);
  return [...new Map(findings.map((one) => [`${one.rule} ${one.subject} ${one.text}`, one])).values()];
}

function toFinding({ code, level, subject, text, hint, doc }: Reason): readonly Finding[] {
  if (level !== 'critical' && level !== 'warning') return [];
  return [
    { rule: code, severity: level, subject: subject.address ?? subject.name, text, hint: hint ?? `See ${doc}.`, doc },
  ];
}

function consulState({ state, leader }: ExaminedConsul): ConsulState {
  if (state.kind === 'unreachable') return { kind: 'lost', message: state.why };
  return leader ? { kind: 'reached' } : { kind: 'lost', message: 'Consul has no leader and accepts no writes' };
}

/** A master as the daemon would have it in memory. */
function observe(read: ExaminedMaster, examination: Examination): ObservedMaster {
  const { sentinels, consul, atMs: nowMs } = examination;
  const { name } = read;
  const record = consul.records?.records.find((one) => one.name === name) ?? null;
  const examined = unify(read, { record: record ?? undefined, nowMs });
  const { opinions, instances } = examined;
  const peers = opinions.map((opinion) => new Set(opinion.peers.map(({ address }) => formatAddress(address))));
  const silent = sentinels.flatMap(({ address, state }) =>
    state.kind === 'unreachable' ? [{ address, error: state.why }] : [],
  );
  const counts = ({ address }: { readonly address: Address }) => countsUnasked(formatAddress(address), peers);
  return {
    name,
    record,
    replicas: instances.flatMap((instance) => replicaOf(instance, examined)),
    sentinels: [...opinions.map((view) => toVote(view, sentinels)), ...silent.filter(counts).map(toSilence)],
    check: opinionOf(examined, { record, nowMs }) ?? null,
    secondMasters: record === null ? [] : secondMastersOf(examined, { record, examination }),
    problems: findProblems({
      expected: expectationOf(examined, record),
      views: opinions,
      listed: read.instances.map(({ address }) => address),
      refusals: statesOf(instances, 'denied'),
      unreached: statesOf(instances, 'unreachable'),
      limits: [...limitsOf('Redis', instances), ...limitsOf('Sentinel', sentinels)],
      foreign: (consul.foreign ?? []).filter(({ tags }) => tags.map(dnsSafe).includes(dnsSafe(name))),
      otherEnvironments: findSameMaster(consul.otherEnvironments ?? [], record ?? undefined),
      foreignChecks: consul.foreignChecks?.get(name) ?? [],
      uncounted: silent.filter((one) => !counts(one)).map(({ address, error: why }) => ({ address, why })),
      held: undefined,
      scope: consul.scope,
    }),
  };
}

function toVote(view: SentinelOpinion, sentinels: readonly ExaminedSentinel[]): ObservedVote {
  const { sentinel: address, master, configEpoch: epoch, quorum, replicas } = view;
  const tiltSince = sentinels.find((one) => sameAddress(one.address, address))?.tiltSince ?? null;
  return { address, state: 'seen', master, epoch, quorum, replicas, tiltSince, flags: conditionFlags(view) };
}

function toSilence({ address, error }: { readonly address: Address; readonly error: string }): ObservedVote {
  const nothing = { master: null, epoch: null, quorum: null, tiltSince: null, flags: [], replicas: [] };
  return { address, state: 'unreachable', error, ...nothing };
}

function limitsOf(
  server: Limit['server'],
  examined: readonly Pick<ExaminedRedis, 'address' | 'limits'>[],
): readonly Limit[] {
  return examined.flatMap(({ address, limits = [] }) => limits.map((limit) => ({ server, address, ...limit })));
}

/** The master with one address for each process, as the bridge has it. */
function unify(
  { name, opinions, instances }: ExaminedMaster,
  at: { readonly record: MasterRecord | undefined; readonly nowMs: number },
): ExaminedMaster {
  const aliases = new Aliases();
  for (const opinion of opinions) aliases.learn(opinion.sentinelId, namedIn(opinion), at.nowMs);
  aliases.learn(
    'doctor',
    instances.map(({ address, runId }) => ({ address, runId: runId || undefined })),
    at.nowMs,
  );
  const canonical = (address: Address) => aliases.canonical(address, at);
  const expected = instances.find((one) => one.expected === 'master');
  const master = expected && canonical(expected.address);
  const processes = Map.groupBy(instances, ({ address }) => formatAddress(canonical(address)));
  return {
    name,
    opinions: opinions.map((opinion) => ({ ...opinion, ...canonicalize(opinion, canonical) })),
    instances: [...processes.values()].flatMap((same) => {
      const one = same.find(({ state }) => state.kind === 'reached') ?? same[0];
      if (one === undefined) return [];
      const address = canonical(one.address);
      const isMaster = master !== undefined && sameAddress(address, master);
      return [{ ...one, address, expected: isMaster ? 'master' : 'replica' } as const];
    }),
  };
}

function statesOf(instances: readonly ExaminedRedis[], kind: 'denied' | 'unreachable') {
  return instances.flatMap(({ address, state }) =>
    state.kind === kind ? [{ address, says: state.why, hint: state.hint }] : [],
  );
}

/** An instance that no Sentinel lists as a replica, and that does not answer as a master either, is no replica. */
function replicaOf(instance: ExaminedRedis, { opinions }: ExaminedMaster): readonly ObservedReplica[] {
  const { address, expected } = instance;
  if (expected !== 'replica') return [];
  const reported = reportOf(instance);
  const listed = opinions.some(({ replicas }) =>
    isIn(
      replicas.map((replica) => replica.address),
      address,
    ),
  );
  if (!listed && reported === undefined) return [];
  return [{ address, lag: null, ...(reported === undefined ? {} : { reported }) }];
}

/** What a replica that answers says about itself; a full synchronization under way is no lost link. */
function reportOf({ role, link }: ExaminedRedis): ReplicaView['condition'] | undefined {
  if (role === 'master') return 'master';
  return link === 'down' ? 'link-down' : undefined;
}

function opinionOf(
  { opinions, instances }: ExaminedMaster,
  { record, nowMs }: { readonly record: MasterRecord | null; readonly nowMs: number },
) {
  const expected = instances.find((one) => one.expected === 'master');
  const address = record?.master ?? expected?.address;
  if (address === undefined) return undefined;
  const instance = instances.find((one) => sameAddress(one.address, address));
  const seen = { views: opinions, held: undefined, nowMs };
  const found = trackOutage(undefined, { master: address, ...seen });
  const outage = found && judgeOutage(found, { ...seen, knownSentinels: opinions.length });
  const role = instance === undefined ? undefined : roleOf(instance);
  return masterOpinion(address, { views: opinions, role, outage });
}

function roleOf({ address, state, role }: ExaminedRedis): RoleAnswer | undefined {
  if (state.kind === 'unreachable') return { address, role: 'unreachable' };
  return role === undefined ? undefined : { address, role };
}

function expectationOf({ instances }: ExaminedMaster, record: MasterRecord | null): Expectation | undefined {
  if (record !== null) return { by: 'record', record };
  const most = instances.find(({ expected }) => expected === 'master');
  return most === undefined ? undefined : { by: 'majority', master: most.address };
}

/** Sentinels that cannot be reached where no master is known: none of them answers. */
function judgeUnlisted({ sentinels, masters }: Examination): readonly Reason[] {
  if (masters.length > 0) return [];
  return sentinels.flatMap(({ address, state }) =>
    state.kind === 'unreachable'
      ? [judgeUnreachable({ kind: 'part', name: 'bridge' }, { address, error: state.why })]
      : [],
  );
}
