import t from 'tap';
import {
  assessEvidence,
  type Evidence,
  former,
  planAfterRefusal,
  planFence,
  planRenewal,
} from '../../../lib/bridge/fencing/plan.ts';
import { formatAddress } from '../../../lib/model/address.ts';
import type { SentinelView } from '../../../lib/model/sentinel.ts';
import { all } from '../plan/decision-table.ts';
import { at, record, role, view } from '../plan/world.ts';

const six = record('B', { epoch: 6, previous: at('A'), replicas: [at('A'), at('C')] });
const masters = ['A', 'B', 'C'].map((letter) => role(letter, 'master'));

/** Three Sentinels that agree, and list these as B's replicas. */
const listing = (...letters: readonly string[]) =>
  all('B', 6).map((one) => ({
    ...one,
    replicas: letters.map((letter) => ({ address: at(letter), condition: 'up' as const })),
  }));
/** The first of them show no replicas, and have those of the record in their views. */
const hiding = (count: number) =>
  listing('A', 'C').map((one, i): SentinelView => (i < count ? { ...one, hides: 'replicas' } : one));
const known = { views: listing('A', 'C'), pausedForMs: new Map<string, number>() };
const pausedFor = (ms: number) => new Map([[formatAddress(at('A')), ms]]);
/** Two of three Sentinels, so that nothing is proven. */
const two = { views: listing('A', 'C').slice(1), evidence: 'likely' } as const;

type Row = readonly [when: string, given: Partial<Parameters<typeof planFence>[0]>, expected: readonly string[]];
const rows: readonly Row[] = [
  ['proven: everyone but the record’s master is demoted', {}, ['demote A', 'demote C']],
  [
    'a node that answers as a replica is left alone',
    { roles: [role('A', 'replica'), role('C', 'master')] },
    ['demote C'],
  ],
  ['nobody was asked: nothing', { roles: [] }, []],
  ['a node that cannot be reached is left alone', { roles: [role('A', 'unreachable')] }, []],
  ['likely: only the former master is paused', { evidence: 'likely' }, ['pause A']],
  [
    'likely, and paused for less than the longest time: paused again',
    { ...two, pausedForMs: pausedFor(14_999) },
    ['pause A'],
  ],
  ['likely, and paused for the longest time: demoted', { ...two, pausedForMs: pausedFor(15_000) }, ['demote A']],
  [
    'paused for the longest time, in the mode pause: left to Sentinel',
    { ...two, pausedForMs: pausedFor(15_000), mode: 'pause' },
    [],
  ],
  [
    'paused for the longest time, and a Sentinel sees the master down: nothing',
    {
      ...two,
      views: two.views.map((one) => ({ ...one, condition: 's_down' as const })),
      pausedForMs: pausedFor(15_000),
    },
    [],
  ],
  ['no evidence: nothing', { evidence: 'none' }, []],
  ['the mode is none: nothing', { mode: 'none' }, []],
  ['the mode is pause: never more than that', { mode: 'pause' }, ['pause A']],
  ['before the record is confirmed: nothing', { record: { ...six, phase: 'promoted' } }, []],
  ['no former master is known, and nothing is proven', { record: { ...six, previous: null }, evidence: 'likely' }, []],
  [
    'a former master that is no replica by the record is fenced too',
    { record: { ...six, replicas: [] } },
    ['demote A'],
  ],
  [
    'a Sentinel hides its replicas: the former master is paused, and nobody is demoted',
    { views: hiding(1) },
    ['pause A'],
  ],
  ['every Sentinel hides its replicas', { views: hiding(3) }, ['pause A']],
  [
    'every Sentinel hides its replicas, after the longest pause: left to Sentinel',
    { views: hiding(3), pausedForMs: pausedFor(15_000) },
    [],
  ],
  [
    'some Sentinels hide their replicas, and another lists it after the longest pause',
    { views: hiding(2), pausedForMs: pausedFor(15_000) },
    ['demote A'],
  ],
  ['a former master that no Sentinel lists any more: nothing', { views: listing() }, []],
  ['the same without proof', { views: listing(), evidence: 'likely' }, []],
  [
    'a former master that one rebuilt Sentinel does not list is paused, and keeps its data',
    { views: [...listing('A', 'C').slice(1), ...listing('C').slice(0, 1)] },
    ['pause A', 'demote C'],
  ],
  [
    'a replica that answers as master and that one Sentinel does not list is left alone',
    { views: [...listing('A', 'C').slice(1), ...listing('A').slice(0, 1)] },
    ['demote A'],
  ],
  [
    'a former master by the record alone, whom no Sentinel ever named, is left alone',
    { record: { ...six, previous: at('D') }, roles: [role('D', 'master')] },
    [],
  ],
  [
    'the same where it would only be paused',
    { record: { ...six, previous: at('D') }, roles: [role('D', 'master')], evidence: 'likely' },
    [],
  ],
  [
    'the record’s master among its own replicas is never touched',
    { record: { ...six, replicas: [at('B')], previous: at('B') } },
    [],
  ],
  ['an address that the record does not name is never touched', { roles: [role('D', 'master')] }, []],
];
for (const [when, given, expected] of rows) {
  t.test(`what is done to a former master: ${when}`, async (t) => {
    const actions = planFence({ mode: 'demote', record: six, roles: masters, evidence: 'proven', ...known, ...given });
    t.strictSame(
      actions.map(({ kind, address }) => `${kind} ${String.fromCharCode(64 + address.port - 6300)}`),
      expected,
    );
    for (const action of actions) if (action.kind === 'demote') t.strictSame(action.master, at('B'));
  });
}

t.test('no evidence permits an action on the record’s master, or on any node before the confirmation', async (t) => {
  for (const mode of ['demote', 'pause', 'none'] as const)
    for (const phase of ['promoted', 'confirmed'] as const)
      for (const evidence of ['proven', 'likely', 'none'] as const)
        for (const previous of [null, at('A'), at('B'), at('D')]) {
          const given = { ...six, phase, previous, replicas: [at('A'), at('B'), at('C')] };
          const roles = [...masters, role('D', 'master')];
          const actions = planFence({ mode, record: given, roles, evidence, ...known });
          t.notOk(actions.some(({ address }) => address.port === at('B').port));
          if (phase === 'promoted' || evidence === 'none' || mode === 'none') t.strictSame(actions, []);
          if (evidence !== 'proven' || mode !== 'demote') t.notOk(actions.some(({ kind }) => kind === 'demote'));
        }
});

t.test('who could come back: the replicas and the former master, once each, and never the master', async (t) => {
  t.strictSame(former(six), [at('A'), at('C')]);
  t.strictSame(former({ ...six, replicas: [at('C')] }), [at('C'), at('A')]);
  t.strictSame(former({ ...six, replicas: [], previous: null }), []);
});

const condition = (name: SentinelView['condition']) =>
  all('B', 6).map((one, i) => (i === 1 ? { ...one, condition: name } : one));
const evidence: readonly (readonly [string, readonly SentinelView[], Evidence, 'reachable' | 'unreachable'])[] = [
  ['all agree', all('B', 6), 'proven', 'reachable'],
  ['all agree, but Consul may hold a newer record', all('B', 6), 'likely', 'unreachable'],
  ['one was not heard: it might be promoting', all('B', 6).slice(0, 2), 'likely', 'reachable'],
  ['no majority was heard', all('B', 6).slice(0, 1), 'none', 'reachable'],
  ['no Sentinel can be read', [], 'none', 'reachable'],
  ['neither a Sentinel nor Consul can be read', [], 'none', 'unreachable'],
  ['one fails over', condition('failover'), 'none', 'reachable'],
  ['the master is down for one of them', condition('s_down'), 'likely', 'reachable'],
  ['the master is down for enough of them', condition('o_down'), 'likely', 'reachable'],
  ['one has a newer epoch', [view(1, 'A', 7), view(2, 'B', 6), view(3, 'B', 6)], 'none', 'reachable'],
  ['one names another at this epoch', [view(1, 'A', 6), view(2, 'B', 6), view(3, 'B', 6)], 'none', 'reachable'],
  ['one lags behind', [view(1, 'A', 5), view(2, 'B', 6), view(3, 'B', 6)], 'likely', 'reachable'],
  ['most lag behind with another master', [view(1, 'A', 5), view(2, 'A', 5), view(3, 'B', 6)], 'none', 'reachable'],
  [
    'two were rebuilt with the same master, and have not learned the epoch yet',
    [view(1, 'B', 0), view(2, 'B', 0), view(3, 'B', 6)],
    'likely',
    'reachable',
  ],
  [
    'a Sentinel knows of more than answered',
    all('B', 6).map((one) => ({ ...one, knownSentinels: 5 })),
    'likely',
    'reachable',
  ],
];
for (const [when, views, expected, consul] of evidence) {
  t.test(`how sure it is that no failover promotes a stale master: ${when}`, async (t) => {
    t.equal(assessEvidence({ record: six, views, knownSentinels: 3, consul }), expected);
  });
}

t.test('a refused demotion pauses for as long as a pause may last; then Sentinel converts the node', async (t) => {
  const pause = [{ kind: 'pause', address: at('A'), pauseMs: 5_000 }];
  t.strictSame(planAfterRefusal(at('A'), { pausedForMs: new Map() }), pause);
  t.strictSame(planAfterRefusal(at('A'), { pausedForMs: pausedFor(14_000) }), pause);
  t.strictSame(planAfterRefusal(at('A'), { pausedForMs: pausedFor(15_000) }), []);
  t.strictSame(planAfterRefusal(at('C'), { pausedForMs: pausedFor(15_000) }).length, 1, 'another node');
});

const leading = (letter: string) => view(1, 'A', 5, { condition: 'failover', promoting: at(letter) });
const renewals: readonly (readonly [string, Partial<Parameters<typeof planRenewal>[0]>, 'renewed' | 'ends'])[] = [
  ['its leader still reports it alone', { views: [leading('B'), view(2, 'A', 5), view(3, 'A', 5)] }, 'renewed'],
  ['a Sentinel has adopted it', { views: [view(1, 'B', 6), view(2, 'A', 5)] }, 'renewed'],
  ['the leader waits for a replica, although it is confirmed', { views: [leading('B'), view(2, 'B', 6)] }, 'renewed'],
  ['no Sentinel reports it any more', { views: all('A', 5) }, 'ends'],
  ['no Sentinel answers', { views: [] }, 'ends'],
  ['a Sentinel promotes another replica', { views: [leading('B'), leading('C')] }, 'ends'],
  ['a Sentinel is at a newer epoch with the old master', { views: [leading('B'), view(2, 'A', 7)] }, 'ends'],
  ['a Sentinel has the new master at an older epoch only', { views: [view(1, 'B', 5)] }, 'ends'],
  ['the new master is a replica again', { roles: [role('A', 'master'), role('B', 'replica')] }, 'ends'],
  ['the new master does not answer', { roles: [role('A', 'master'), role('B', 'unreachable')] }, 'ends'],
  ['the old master is a replica', { roles: [role('A', 'replica'), role('B', 'master')] }, 'ends'],
  ['there was no master before', { record: record('B', { epoch: 6, previous: null }) }, 'ends'],
  [
    'adopted and still there after the longest pause',
    { views: [view(1, 'B', 6)], pausedForMs: pausedFor(15_000) },
    'ends',
  ],
  ['the longest pause does not limit a failover that runs', { pausedForMs: pausedFor(15_000) }, 'renewed'],
  [
    'a failover that runs for less than failover-timeout (by default 180 s)',
    { failoverPausedForMs: pausedFor(179_999) },
    'renewed',
  ],
  ['a failover that runs for longer', { failoverPausedForMs: pausedFor(180_000) }, 'ends'],
];
for (const [when, given, expected] of renewals)
  t.test(`the pause of the former master of a promotion: ${when}`, async (t) => {
    const record = { ...six, phase: 'promoted' as const };
    const unspent = { pausedForMs: new Map(), failoverPausedForMs: new Map() };
    const planned = planRenewal({ record, roles: masters, views: [leading('B')], ...unspent, ...given });
    t.strictSame(planned?.address, expected === 'renewed' ? at('A') : undefined);
  });
