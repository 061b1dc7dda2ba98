import t from 'tap';
import { toVote } from '../../lib/bridge/reports.ts';
import { judge } from '../../lib/daemon/health/health.ts';
import { diagnose } from '../../lib/doctor/diagnose.ts';
import type { Examination } from '../../lib/doctor/examination.ts';
import { judgedCodes } from '../../lib/doctor/judgement.ts';
import { SwitchmasterError } from '../../lib/errors.ts';
import type { MasterState } from '../../lib/http/views.ts';
import { masterOpinion } from '../../lib/model/check-opinion.ts';
import { findProblems } from '../../lib/model/judgement/problems.ts';
import { exampleViews } from '../http/views.ts';
import { type Situation, seen, situations, tiltedAt, twoMasters } from './situations.ts';
import { at, down, healthy, maintained, master, opinion, redis, sentinel } from './world.ts';

/* One situation, read by the doctor and followed by a daemon: both must say the same. */

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
    ...(situation.fence === undefined ? {} : { fence: situation.fence }),
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
    otherEnvironments: situation.consul?.otherEnvironments ?? [],
    ...{ foreignChecks: situation.consul?.foreignChecks?.get('shard1') ?? [], held: undefined },
  });
  const check = masterOpinion(record.master, { views: opinions, role: { address: record.master, role } }) ?? null;
  const sentinels = readings.map((reading) => toVote(reading, { readAt: new Date(), record }));
  const state = situation.fence === 'none' ? 'left' : 'open';
  const why = situation.fence === 'none' ? 'sentinel.fence is none' : null;
  const secondMasters = instances.flatMap(({ address, role, expected }) =>
    role === 'master' && expected === 'replica' ? [{ address, state, why, since: null } as const] : [],
  );
  const rest = { maintenance: null, crash: null, isolation: null, replicas: [] };
  return { name: 'shard1', record, modifyIndex: 1, sentinels, check, problems, secondMasters, ...rest };
}

function judgeFollowed(situation: Situation) {
  const { lost, ignoredKeys = [] } = situation;
  return judge({
    views: exampleViews({ masters: [follow(situation)] }),
    consul: lost === undefined ? { kind: 'reached' } : { kind: 'lost', message: lost },
    config: { kind: 'current' },
    interfaces: { kind: 'read' },
    journal: { kind: 'kept' },
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

t.test(
  'a former master is no fault right after a failover, and one that is left to Sentinel has the reason',
  async (t) => {
    const title = 'a former master answers as a master';
    type Over = Pick<Examination, 'fence'> & Pick<Examination['consul'], 'maintenance'>;
    const texts = (secondsAgo: number, { maintenance, ...over }: Over = {}) => {
      const record = { previous: at(3), changedAt: new Date(healthy.atMs - secondsAgo * 1_000).toISOString() };
      const examined = examine({ title, code: 'second-master', master: twoMasters, record });
      return diagnose({ ...examined, ...over, consul: { ...examined.consul, maintenance } }).flatMap(
        ({ rule, severity, text }) => (rule === 'second-master' ? [`${severity}: ${text}`] : []),
      );
    };
    const left = { fence: 'none' } as const;
    const { maintenance } = maintained('shard1', '{"by":"ops"}').consul;
    for (const over of [{}, left, { maintenance }]) t.strictSame(texts(4, over), []);
    t.match(texts(40), [/^critical: .* lost when it becomes a replica\.$/]);
    t.match(texts(40, left), [/^critical: .* lost when Sentinel makes it a replica \(sentinel\.fence is none\)/]);
    t.match(texts(40, { maintenance }), [/^critical: .* makes it a replica \(shard1 is in maintenance: by ops/]);
  },
);

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
