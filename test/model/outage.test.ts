import t from 'tap';
import { masterCheckCodes, masterChecks, readMasterCheckCode, servedCondition } from '../../lib/model/master-check.ts';
import { judgeOutage, type Outage, trackOutage } from '../../lib/model/outage.ts';
import type { ReplicaView, SentinelView } from '../../lib/model/sentinel.ts';
import { at, view } from '../bridge/plan/world.ts';

type Condition = SentinelView['condition'];
const three = (conditions: readonly Condition[], changes: Partial<SentinelView> = {}) =>
  conditions.map((condition, i) => view(i + 1, 'A', 5, { condition, failoverTimeoutMs: 60_000, ...changes }));
const outage = (changes: Partial<Outage> = {}): Outage => ({
  master: at('A'),
  sinceMs: 1_000,
  limitMs: 61_000,
  failover: 'awaited',
  ...changes,
});
const held = undefined;
const heldAs = (check: keyof typeof masterChecks) => masterChecks[check];

t.test('an outage begins when the first Sentinel judges the master down, and ends with the last', async (t) => {
  const track = (last: Outage | undefined, views: readonly SentinelView[], nowMs = 5_000) =>
    trackOutage(last, { master: at('A'), views, held, nowMs });
  t.equal(track(undefined, three(['up', 's_down', 'up'])), undefined, 'only subjectively');
  t.match(track(undefined, three(['up', 'o_down', 'up'])), { sinceMs: 5_000, limitMs: 61_000, failover: 'awaited' });
  t.match(track(undefined, three(['o_down', 's_down'], { downForMs: 3_000 })), { sinceMs: 2_000 }, 'after a restart');
  t.match(track(undefined, three(['failover', 'up'])), { sinceMs: 5_000, failover: 'begun' }, 'ordered');
  t.match(track(outage({ failover: 'begun' }), three(['o_down'])), { sinceMs: 1_000, failover: 'begun' });
  t.match(track(outage({ master: at('B') }), three(['o_down'])), { sinceMs: 5_000 }, 'of another master');
  t.equal(track(outage(), three(['up', 's_down'])), undefined, 'it is back');
});

t.test('an outage stays while no Sentinel can be asked, also for a bridge that was restarted', async (t) => {
  const track = (last: Outage | undefined, check: keyof typeof masterChecks | undefined) =>
    trackOutage(last, { master: at('A'), views: [], held: check && heldAs(check), nowMs: 5_000 });
  t.strictSame(track(outage(), undefined), outage());
  t.match(track(undefined, 'down'), { sinceMs: 5_000, limitMs: 181_000 });
  t.match(track(undefined, 'failingOver'), { sinceMs: 5_000 });
  t.match(track(undefined, 'answering'), { sinceMs: 5_000 });
  t.match(track(undefined, 'answeringDoubted'), { sinceMs: 5_000 });
  t.equal(track(undefined, 'suspected'), undefined);
  t.equal(track(undefined, undefined), undefined);
});

const replica = (condition: ReplicaView['condition'], changes: Partial<ReplicaView> = {}) => ({
  replicas: [{ address: at('B'), condition, ...changes }],
});
interface Case {
  readonly views: readonly SentinelView[];
  readonly outage?: Partial<Outage>;
  readonly check?: keyof typeof masterChecks;
  readonly expected: string;
}
const cases: Readonly<Record<string, Case>> = {
  'the master is down': { views: three(['o_down', 's_down', 's_down']), expected: 'under-way 57000' },
  'a Sentinel fails over': { views: three(['failover', 'o_down', 'o_down']), expected: 'under-way 57000' },
  'the time is over': { views: three(['o_down']), outage: { sinceMs: -56_000 }, expected: 'overdue' },
  'the time is over, and a Sentinel still fails over': {
    views: three(['failover', 'o_down', 'o_down']),
    outage: { sinceMs: -60_000, failover: 'begun' },
    expected: 'overdue',
  },
  'the time is over, but the leader has seen the promotion': {
    views: three(['failover'], { promoting: at('B'), promotion: 'seen' }),
    outage: { sinceMs: -60_000 },
    expected: 'under-way',
  },
  'Sentinel gave the failover up': {
    views: three(['o_down', 'o_down', 's_down']),
    outage: { failover: 'begun' },
    expected: 'given-up',
  },
  'the leader may be the Sentinel that does not answer': {
    views: three(['o_down', 'o_down']),
    outage: { failover: 'begun' },
    expected: 'under-way 57000',
  },
  'no Sentinel answers': { views: [], outage: { failover: 'begun' }, expected: 'under-way 57000' },
  'no Sentinel answers, and the time is over': { views: [], outage: { sinceMs: -60_000 }, expected: 'overdue' },
  'there is no replica': { views: three(['o_down'], { replicas: [] }), expected: 'no-candidate' },
  'the replica is down': { views: three(['o_down'], replica('s_down')), expected: 'no-candidate' },
  'no Sentinel has a link to the replica': {
    views: three(['o_down'], replica('unlinked')),
    expected: 'no-candidate',
  },
  'the replica must not be promoted': {
    views: three(['o_down'], replica('up', { priority: 0 })),
    expected: 'no-candidate',
  },
  'the data of the replica is too old': {
    views: three(['o_down'], {
      downAfterMs: 1_000,
      suspectedForMs: 2_000,
      ...replica('up', { masterLinkDownMs: 12_001 }),
    }),
    expected: 'no-candidate',
  },
  'the replica lost its link with the master': {
    views: three(['o_down'], {
      downAfterMs: 1_000,
      suspectedForMs: 2_000,
      ...replica('link-down', { masterLinkDownMs: 3_000 }),
    }),
    expected: 'under-way 57000',
  },
  'the Sentinels read the replica for the last time before the master went down': {
    views: three(['o_down'], replica('up', { pingAgeMs: 6_000, infoAgeMs: 9_000 })),
    expected: 'under-way 57000',
  },
  'one Sentinel could promote the replica': {
    views: [...three(['o_down'], replica('s_down')), ...three(['o_down'], replica('up'))],
    expected: 'under-way 57000',
  },
  'the selected replica is being promoted': {
    views: three(['failover'], { promoting: at('B'), promotion: 'ordered', ...replica('unlinked') }),
    expected: 'under-way 57000',
  },
  'another bridge found it overdue': { views: three(['o_down']), check: 'overdue', expected: 'overdue' },
  'another bridge found it given up': { views: three(['failover']), check: 'givenUp', expected: 'given-up' },
  'another bridge asks whether the master answers, and no Sentinel does': {
    views: [],
    check: 'answeringDoubted',
    expected: 'given-up',
  },
  'the master answers another bridge, and no Sentinel answers': { views: [], check: 'answering', expected: 'given-up' },
  'another bridge asks whether the master answers, and a replica returned': {
    views: three(['o_down']),
    check: 'answeringDoubted',
    expected: 'under-way 57000',
  },
  'a replica returned': { views: three(['o_down']), check: 'noCandidate', expected: 'under-way 57000' },
};
for (const [when, { views, outage: changes = {}, check, expected }] of Object.entries(cases)) {
  t.test(`whether a failover can succeed: ${when}`, async (t) => {
    const observed = { views, knownSentinels: 3, held: check && heldAs(check), nowMs: 5_000 };
    const { stage, leftMs } = judgeOutage(outage(changes), observed);
    t.equal(leftMs === undefined ? stage : `${stage} ${leftMs}`, expected);
  });
}

t.test('clients of the Sentinel endpoint get o_down during a failover, although the check is a warning', async (t) => {
  for (const [check, condition] of [
    ['up', 'up'],
    ['promoted', 'up'],
    ['suspected', 's_down'],
    ['down', 'o_down'],
    ['failingOver', 'o_down'],
    ['overdue', 'o_down'],
  ] as const)
    t.equal(servedCondition(masterChecks[check]), condition, check);
  const older = (status: 'passing' | 'warning' | 'critical') =>
    servedCondition({ status, code: readMasterCheckCode('of another version') });
  t.strictSame([older('passing'), older('warning'), older('critical')], ['up', 's_down', 'o_down']);
});

t.test('the outputs and the codes of a check differ, and outputs have no counts or times', async (t) => {
  const outputs = Object.values(masterChecks).map(({ output }) => output);
  t.equal(new Set(outputs).size, outputs.length);
  t.equal(new Set(masterCheckCodes).size, outputs.length);
  for (const output of outputs) t.notMatch(output, /\d/);
});
