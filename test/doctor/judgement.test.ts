import t from 'tap';
import { toVote } from '../../lib/bridge/reports.ts';
import { judge } from '../../lib/daemon/health/health.ts';
import { diagnose } from '../../lib/doctor/diagnose.ts';
import type { Examination, ExaminedMaster, SentinelOpinion } from '../../lib/doctor/examination.ts';
import { judgedCodes } from '../../lib/doctor/judgement.ts';
import { SwitchmasterError } from '../../lib/errors.ts';
import type { MasterState } from '../../lib/http/views.ts';
import { masterOpinion } from '../../lib/model/check-opinion.ts';
import { findProblems } from '../../lib/model/judgement/problems.ts';
import type { IgnoredKey } from '../../lib/model/records.ts';
import { exampleViews } from '../http/views.ts';
import { at, down, healthy, master, opinion, redis, sentinel } from './world.ts';

/* One situation, read by the doctor and followed by a daemon: both must say the same. */

interface Situation {
  readonly title: string;
  readonly code: (typeof judgedCodes)[number];
  readonly master?: Partial<ExaminedMaster>;
  readonly record?: Partial<NonNullable<MasterState['record']>>;
  /** Sentinels in TILT mode. */
  readonly tilted?: readonly number[];
  /** Sentinels that do not answer. */
  readonly away?: readonly number[];
  /** Sentinels that were never reached, and that no other lists. */
  readonly unlisted?: readonly number[];
  readonly consul?: Partial<Examination['consul']>;
  /** What the daemon's last read of Consul failed with. */
  readonly lost?: string;
  readonly ignoredKeys?: readonly IgnoredKey[];
}

const seen = (...ones: readonly number[]) => ones.map((one) => opinion(one));
const all = (change: Partial<SentinelOpinion>) => seen(1, 2, 3).map((one) => ({ ...one, ...change }));
const replicasAs = (condition: 's_down' | 'link-down' | 'master' | 'up') =>
  opinion(1).replicas.map((replica) => (replica.address.host === at(3).host ? { ...replica, condition } : replica));
const noReplica = { opinions: all({ replicas: [] }), instances: [redis(1)] };
const other = { name: 'redis-master', id: 'left', node: 'web-1', address: '10.9.9.9', port: 6379, tags: ['shard1'] };
const hiding = new Map([['shard1', [{ node: 'redis-shard1', id: 'by-hand', services: ['redis-master'] }]]]);
const ownHost = { host: 'localhost', port: 6379 };
const tiltedAt = new Date('2026-01-01T23:59:50.000Z');
const bogus = { key: 'redis/record/copy', kind: 'unreadable', message: 'the key holds no record' } as const;

const situations: readonly Situation[] = [
  { title: 'Consul does not answer', code: 'consul-unreachable', consul: { state: down }, lost: 'ECONNREFUSED' },
  {
    title: 'Consul has no leader',
    code: 'consul-unreachable',
    consul: { leader: false },
    lost: 'Consul has no leader and accepts no writes',
  },
  { title: 'a key among the records is no record', code: 'record-unreadable', ignoredKeys: [bogus] },
  { title: 'a majority contradicts the record', code: 'record-unbacked', record: { epoch: 9 } },
  {
    title: 'the master is objectively down',
    code: 'master-down',
    master: { opinions: all({ condition: 'o_down' }), instances: [redis(1, { state: down }), redis(2), redis(3)] },
  },
  {
    title: 'the master answers as a replica',
    code: 'master-down',
    master: { instances: [redis(1, { role: 'replica' }), redis(2), redis(3)] },
  },
  {
    title: 'one Sentinel sees the master down',
    code: 'master-suspected',
    master: { opinions: [...seen(1, 2), opinion(3, { condition: 's_down' })] },
  },
  { title: 'a promotion is never announced', code: 'promotion-unconfirmed', record: { phase: 'promoted' } },
  { title: 'one Sentinel of three is gone', code: 'sentinel-unreachable', master: { opinions: seen(1, 2) }, away: [3] },
  { title: 'two Sentinels of three are gone', code: 'sentinels-lost', master: { opinions: seen(1) }, away: [2, 3] },
  {
    title: 'a Sentinel was never reached, and no other lists it',
    code: 'sentinel-uncounted',
    unlisted: [7],
  },
  { title: 'a Sentinel is in TILT mode', code: 'sentinel-tilt', tilted: [1] },
  { title: 'two Sentinels of three are in TILT mode', code: 'sentinel-tilt', tilted: [1, 2] },
  {
    title: 'a Sentinel is at another epoch',
    code: 'sentinel-differs',
    master: { opinions: [...seen(1, 2), opinion(3, { configEpoch: 0 })] },
  },
  {
    title: 'a Sentinel names another master',
    code: 'sentinels-disagree',
    master: { opinions: [...seen(1, 2), opinion(3, { master: at(2) })] },
  },
  {
    title: 'the master is known by a loopback address',
    code: 'loopback-published',
    record: { master: ownHost },
    master: { opinions: all({ master: ownHost }), instances: [redis(1, { address: ownHost }), redis(2), redis(3)] },
  },
  { title: 'there is no replica', code: 'master-without-replica', master: noReplica, record: { replicas: [] } },
  {
    title: 'a replica is down',
    code: 'replica-down',
    master: {
      opinions: all({ replicas: replicasAs('s_down') }),
      instances: [redis(1), redis(2), redis(3, { state: down })],
    },
  },
  {
    title: 'a replica lost its master',
    code: 'replica-not-replicating',
    master: {
      opinions: all({ replicas: replicasAs('link-down') }),
      instances: [redis(1), redis(2), redis(3, { link: 'down' })],
    },
  },
  {
    title: 'a replica says that it is a master',
    code: 'replica-not-replicating',
    master: {
      opinions: all({ replicas: replicasAs('master') }),
      instances: [redis(1), redis(2), redis(3, { role: 'master' })],
    },
  },
  {
    title: 'a Redis refuses the password',
    code: 'redis-denied',
    master: {
      instances: [redis(1), redis(2), redis(3, { state: { kind: 'denied', why: 'WRONGPASS invalid' } })],
    },
  },
  {
    title: 'a Redis that Sentinels see up cannot be reached',
    code: 'redis-unreached',
    master: { instances: [redis(1), redis(2), redis(3, { state: down })] },
  },
  { title: 'somebody else registered the master', code: 'foreign-instance', consul: { foreign: [other] } },
  { title: 'a check hides the master', code: 'foreign-check', consul: { foreignChecks: hiding } },
];

function recordOf({ record }: Situation): NonNullable<MasterState['record']> {
  return {
    ...{ version: 1, name: 'shard1', generation: 1, epoch: 1, phase: 'confirmed', master: at(1), previous: null },
    ...{ replicas: [at(2), at(3)], reason: 'first seen', changedBy: 'b', changedAt: '2026-01-01T00:00:00.000Z' },
    ...record,
  };
}

function examine(situation: Situation): Examination {
  const absent = [...(situation.away ?? []), ...(situation.unlisted ?? [])];
  const here = [1, 2, 3]
    .filter((one) => !absent.includes(one))
    .map((one) => ({
      ...sentinel(one),
      ...(situation.tilted?.includes(one) ? { tiltSince: tiltedAt.toISOString() } : {}),
    }));
  const records = { records: [recordOf(situation)], ignoredKeys: situation.ignoredKeys ?? [] };
  return {
    ...healthy,
    sentinels: [...here, ...absent.map((one) => ({ ...sentinel(one), state: down }))],
    masters: [master(situation.master)],
    consul: { ...healthy.consul, records, ...situation.consul },
  };
}

/** The master as the bridge's view shows it. */
function follow(situation: Situation): MasterState {
  const { opinions, instances } = master(situation.master);
  const record = recordOf(situation);
  const error = new SwitchmasterError('redis-unreachable', down.why);
  const away = (situation.away ?? []).map((one) => at(one, 26379));
  const readings = [
    ...opinions.map((opinion, i) => {
      const tilt = situation.tilted?.includes(i + 1) ? { tiltSinceMs: tiltedAt.getTime() } : {};
      const view = { ...opinion, ...tilt };
      return { kind: 'seen', sentinel: view.sentinel, sentinelId: view.sentinelId, view } as const;
    }),
    ...away.map((one) => ({ kind: 'unreachable', sentinel: one, sentinelId: '', hasMonitored: true, error }) as const),
  ];
  const of = (kind: string) =>
    instances.flatMap(({ address, state }) =>
      state.kind === kind && 'why' in state ? [{ address, says: state.why }] : [],
    );
  const [first] = instances;
  const role = first?.state.kind === 'reached' ? (first.role ?? 'unreachable') : 'unreachable';
  const problems = findProblems({
    expected: { by: 'record', record },
    views: opinions,
    refusals: of('denied'),
    unreached: of('unreachable'),
    foreign: situation.consul?.foreign ?? [],
    uncounted: (situation.unlisted ?? []).map((one) => ({ address: at(one, 26379) })),
    ...{ foreignChecks: situation.consul?.foreignChecks?.get('shard1') ?? [], held: undefined },
  });
  const check = masterOpinion(record.master, { views: opinions, role: { address: record.master, role } }) ?? null;
  const sentinels = readings.map((reading) => toVote(reading, { readAt: new Date(), record }));
  return { name: 'shard1', record, modifyIndex: 1, sentinels, check, problems, maintenance: null, replicas: [] };
}

function judgeFollowed(situation: Situation) {
  const { lost, ignoredKeys = [] } = situation;
  return judge({
    views: exampleViews({ masters: [follow(situation)] }),
    consul: lost === undefined ? { kind: 'reached' } : { kind: 'lost', message: lost },
    config: { kind: 'current' },
    interfaces: { kind: 'read' },
    denied: [],
    ignoredKeys,
    nowMs: healthy.atMs,
  }).reasons;
}

const isShared = (code: string) => judgedCodes.some((one) => one === code);
/** The daemon does not say why a Sentinel cannot be reached. */
const withoutWhy = (text: string) => text.replace(` (${down.why})`, '');

for (const situation of situations) {
  t.test(`doctor and daemon say the same: ${situation.title}`, async (t) => {
    const found = diagnose(examine(situation))
      .filter(({ rule }) => isShared(rule))
      .map(({ rule, text, ...rest }) => ({ code: rule, text: withoutWhy(text), ...rest }));
    const judged = judgeFollowed(situation).map(({ code, level, subject, text, hint, doc }) => {
      return { code, severity: level, subject: subject.address ?? subject.name, text: withoutWhy(text), hint, doc };
    });
    const sort = (list: readonly { code: string; subject: string }[]) =>
      list.toSorted((a, b) => (`${a.code} ${a.subject}` < `${b.code} ${b.subject}` ? -1 : 1));
    t.strictSame(sort(found), sort(judged));
    t.ok(found.some(({ code }) => code === situation.code));
    for (const { hint } of found) t.match(hint, /^(switchmaster|consul|redis-cli) (?!.*[{}])/);
  });
}

t.test('every shared code has a situation here', async (t) => {
  t.strictSame([...new Set(situations.map(({ code }) => code))].sort(), [...judgedCodes].sort());
});

t.test('without a record the Sentinels are compared with most of them, and a missing record is no fault', async (t) => {
  const split = { opinions: [...seen(1, 2), opinion(3, { master: at(2) })] };
  const findings = diagnose({ ...healthy, masters: [master(split)] });
  t.match(findings, [{ rule: 'sentinels-disagree', subject: 'shard1', text: /another master than most of them/ }]);
  t.strictSame(diagnose({ ...healthy, masters: [master()] }), []);
});

t.test('Sentinels that name one process by a name and by an address agree', async (t) => {
  const alias = { host: 'redis-1', port: 6379 };
  const named = opinion(3, { master: alias, masterRunId: 'run1' });
  const examined = {
    opinions: [...seen(1, 2).map((one) => ({ ...one, masterRunId: 'run1' })), named],
    instances: [redis(1), redis(2), redis(3), redis(1, { address: alias, expected: 'replica' })],
  };
  for (const records of [undefined, { records: [recordOf({ title: '', code: 'master-down' })], ignoredKeys: [] }]) {
    const consul = { ...healthy.consul, records };
    const findings = diagnose({ ...healthy, consul, masters: [master(examined)] });
    t.strictSame(
      findings.filter(({ rule }) => isShared(rule)),
      [],
    );
    t.ok(
      findings.some(({ rule }) => rule === 'announce-twins'),
      'the doctor still reports the two names',
    );
  }
});

t.test('Sentinels of no master are reported where none answers', async (t) => {
  const silent = { ...healthy, masters: [], sentinels: [{ ...sentinel(1), state: down }] };
  t.match(diagnose(silent), [{ rule: 'sentinel-unreachable', severity: 'warning', subject: '10.0.0.1:26379' }]);
});
