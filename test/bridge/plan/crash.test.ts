import t from 'tap';
import { type CrashReplica, type CrashSituation, decideCrash } from '../../../lib/bridge/plan/crash.ts';
import { hasLostKeys, type JudgingBridge } from '../../../lib/model/crash.ts';
import type { ConnectionState } from '../../../lib/model/crash-proof.ts';
import type { ReplicaView, SentinelView } from '../../../lib/model/sentinel.ts';
import { at, record, view } from './world.ts';

const replicaView = (letter: string, changes: Partial<ReplicaView> = {}): ReplicaView => ({
  address: at(letter),
  condition: 'up',
  priority: 100,
  ...changes,
});
const seen = (changes: Partial<SentinelView> = {}): readonly SentinelView[] =>
  [1, 2, 3].map((n) =>
    view(n, 'A', 5, { linked: false, failoverTimeoutMs: 60_000, replicas: [replicaView('B')], ...changes }),
  );
const changed = (n: number, changes: Partial<SentinelView>): readonly SentinelView[] =>
  seen().map((one, i) => (i + 1 === n ? { ...one, ...changes } : one));
const replica = (letter: string, changes: Partial<CrashReplica> = {}): CrashReplica => ({
  address: at(letter),
  link: 'down',
  wasInStep: true,
  ...changes,
});
const bridge = (n: number, changes: Partial<JudgingBridge> = {}): JudgingBridge => ({
  bridge: `bridge-${n}`,
  place: 'elsewhere',
  sees: 'crash',
  ...changes,
});
const refused = (changes: object = {}): CrashSituation['sign'] => {
  const connection: ConnectionState = { kind: 'refused', closedMs: 0, firstMs: 5, lastMs: 65, count: 4, ...changes };
  return { kind: 'refused', connection };
};

/** A is dead: its host refuses, nobody is connected to it, and B was in step. */
const crashed: CrashSituation = {
  master: at('A'),
  sign: refused(),
  crashAfterMs: 60,
  nowMs: 66,
  record: record('A', { previous: at('B') }),
  recordAgeMs: 60_000,
  election: 'unknown',
  lastOrderAgeMs: undefined,
  views: seen(),
  knownSentinels: 3,
  replicas: [replica('B')],
  bridges: [bridge(1)],
  maintenance: undefined,
};
const order = { kind: 'order', target: { host: '10.0.1.1', port: 26379 } };

t.test('every bridge orders the same Sentinel to fail over a crashed master', async (t) => {
  t.strictSame(decideCrash(crashed), { ...order, candidates: [at('B')] });
  t.match(decideCrash({ ...crashed, views: seen().toReversed() }), order);
});

t.test('a Sentinel in TILT mode is ordered only if there is no other', async (t) => {
  const tilted = (...ids: readonly number[]) =>
    decideCrash({
      ...crashed,
      views: seen().map((one, i) => (ids.includes(i + 1) ? { ...one, tiltSinceMs: 1_000 } : one)),
    });
  t.match(tilted(1), { kind: 'order', target: { host: '10.0.1.2' } });
  t.match(tilted(1, 3), { kind: 'order', target: { host: '10.0.1.2' } });
  t.match(tilted(1, 2, 3), order);
  const [first, ...others] = seen({ replicas: [] });
  const views = first === undefined ? [] : [{ ...first, tiltSinceMs: 1_000, replicas: [replicaView('B')] }, ...others];
  t.match(decideCrash({ ...crashed, views }), { kind: 'wait' }, 'the others may know the replica in a moment');
});

const orders: Readonly<Record<string, Partial<CrashSituation>>> = {
  'it was never failed over': { record: record('A'), recordAgeMs: 0 },
  'the last order is long ago': { lastOrderAgeMs: 60_000 },
  'one Sentinel of three does not answer': { views: seen().slice(0, 2) },
  'a Sentinel sees it subjectively down already': { views: changed(2, { condition: 's_down' }) },
  'Sentinel has read that the link of the replica is down': {
    views: seen({ downAfterMs: 100, replicas: [replicaView('B', { condition: 'link-down', masterLinkDownMs: 900 })] }),
  },
  'a replica that Sentinel would not select was not in step': {
    views: seen({ replicas: [replicaView('B'), replicaView('C', { priority: 0 })] }),
    replicas: [replica('B'), replica('C', { wasInStep: false })],
  },
  'a replica with a higher priority number was not in step': {
    views: seen({ replicas: [replicaView('B'), replicaView('C', { priority: 101 })] }),
    replicas: [replica('B'), replica('C', { wasInStep: false })],
  },
  'a majority of the bridges sees it': { bridges: [bridge(1), bridge(2), bridge(3, { sees: 'no-crash' })] },
  'the bridge beside it sees it, and no other': {
    bridges: [bridge(1, { place: 'beside' }), bridge(2, { sees: 'no-crash' }), bridge(3, { sees: 'no-crash' })],
  },
};
for (const [when, changes] of Object.entries(orders)) {
  t.test(`it orders a failover if ${when}`, async (t) => {
    t.match(decideCrash({ ...crashed, ...changes }), order);
  });
}

const leaves: Readonly<Record<string, Partial<CrashSituation>>> = {
  'it has no record': { record: undefined },
  'the record names another master': { record: record('B') },
  'the record is not confirmed': { record: record('A', { phase: 'promoted' }) },
  'a Sentinel fails over already': { views: changed(3, { condition: 'failover' }) },
  'a Sentinel sees it objectively down': { views: changed(3, { condition: 'o_down' }) },
  'a Sentinel knows a newer failover': { views: changed(3, { configEpoch: 6 }) },
};
for (const [when, changes] of Object.entries(leaves)) {
  t.test(`it leaves the master to Sentinel if ${when}`, async (t) => {
    t.match(decideCrash({ ...crashed, ...changes }), { kind: 'leave' });
  });
}

for (const [when, changes] of Object.entries(orders)) {
  t.test(`it orders nothing in maintenance, even if ${when}`, async (t) => {
    const why = 'A is in maintenance: by ops, without an end';
    t.strictSame(decideCrash({ ...crashed, ...changes, maintenance: why }), {
      kind: 'refuse',
      end: 'maintenance',
      why,
    });
  });
}

const longer = changed(3, { failoverTimeoutMs: 70_000 });
const refuses: Readonly<Record<string, readonly [forMs: number, Partial<CrashSituation>]>> = {
  'the last failover was less than failover-timeout ago': [1, { recordAgeMs: 59_999 }],
  'a Sentinel has a longer failover-timeout': [5_000, { views: longer, recordAgeMs: 65_000 }],
  'the last order was less than failover-timeout ago': [1, { lastOrderAgeMs: 59_999 }],
  'the last order was just now, and no failover ever came': [59_990, { record: record('A'), lastOrderAgeMs: 10 }],
};
for (const [when, [forMs, changes]] of Object.entries(refuses)) {
  t.test(`it refuses if ${when}, for as long as that lasts`, async (t) => {
    t.match(decideCrash({ ...crashed, ...changes }), { kind: 'refuse', end: 'too-soon', forMs });
  });
}

const waits: Readonly<Record<string, Readonly<Record<string, Partial<CrashSituation>>>>> = {
  unclear: {
    'the connection is not refused any more': { sign: { kind: 'refused', connection: { kind: 'no-proof' } } },
    'nobody was refused yet': { sign: { kind: 'refused', connection: { kind: 'closed', closedMs: 0 } } },
    'the refusals have not lasted for crashAfter': { sign: refused({ lastMs: 64 }) },
    'two refusals are all': { sign: refused({ count: 2 }) },
    'the last refusal is long ago': { nowMs: 316 },
  },
  contradicted: {
    'a Sentinel is connected to it': { views: changed(2, { linked: true }) },
    'a replica is connected to it': { replicas: [replica('B'), replica('C', { link: 'connected' })] },
    'a replica begins to synchronize with it': { replicas: [replica('B', { link: 'syncing' })] },
    'half of the bridges see it': { bridges: [bridge(1), bridge(2, { sees: 'no-crash' })] },
    'the bridge beside it does not see it, and all others do': {
      bridges: [bridge(1), bridge(2), bridge(3), bridge(4, { place: 'beside', sees: 'no-crash' })],
    },
    'one of two bridges beside it does not see it': {
      bridges: [bridge(1, { place: 'beside' }), bridge(2, { place: 'beside', sees: 'no-crash' })],
    },
  },
  'no-majority': {
    'no majority of the Sentinels answers': { views: seen().slice(0, 1) },
    'no Sentinel answers': { views: [] },
    'as many Sentinels as Sentinel itself counts are no majority': { views: seen({ knownSentinels: 7 }) },
    'two Sentinels are behind the record': { views: seen({ configEpoch: 4 }) },
    'a Sentinel names another master': {
      views: [...changed(1, { master: at('B') }).slice(0, 2)],
    },
  },
  consul: {
    'Consul does not list this bridge': { bridges: [] },
  },
  'no-replica': {
    'the replica was not in step': { replicas: [replica('B', { wasInStep: false })] },
    'the replica does not answer': { replicas: [replica('B', { link: 'unanswered' })] },
    'there is no replica': { views: seen({ replicas: [] }), replicas: [] },
    'Sentinel could select a replica that reports that it is a master': {
      views: seen({ replicas: [replicaView('B'), replicaView('C', { condition: 'master' })] }),
      replicas: [replica('B'), replica('C', { link: 'unanswered' })],
    },
    'Sentinel would never select the replica': { views: seen({ replicas: [replicaView('B', { priority: 0 })] }) },
    'the replica is down by Sentinel': { views: seen({ replicas: [replicaView('B', { condition: 's_down' })] }) },
    'Sentinel has no link to the replica': { views: seen({ replicas: [replicaView('B', { condition: 'unlinked' })] }) },
    'the replica answers Sentinel as a master': {
      views: seen({ replicas: [replicaView('B', { condition: 'master' })] }),
    },
    'the data of the replica is too old for Sentinel': {
      views: seen({
        downAfterMs: 100,
        replicas: [replicaView('B', { condition: 'link-down', masterLinkDownMs: 1_001 })],
      }),
    },
    'Sentinel could select a replica that was not in step': {
      views: seen({ replicas: [replicaView('B'), replicaView('C')] }),
      replicas: [replica('B'), replica('C', { wasInStep: false })],
    },
    'Sentinel could select a replica that the bridge does not know': {
      views: seen({ replicas: [replicaView('B'), replicaView('C')] }),
    },
  },
};
for (const [end, changesOf] of Object.entries(waits))
  for (const [when, changes] of Object.entries(changesOf)) {
    t.test(`it waits if ${when}, which ends as ${end}`, async (t) => {
      t.match(decideCrash({ ...crashed, ...changes }), { kind: 'wait', end });
    });
  }

t.test('it orders another Sentinel where the first one would select a replica that lacks data', async (t) => {
  const views = changed(1, { replicas: [replicaView('B'), replicaView('C')] });
  const decision = decideCrash({ ...crashed, views, replicas: [replica('B'), replica('C', { wasInStep: false })] });
  t.match(decision, { kind: 'order', target: { host: '10.0.1.2' }, candidates: [at('B')] });
});

t.test('a master that came back with fewer keys than a replica has crashed, although all are connected', async (t) => {
  const emptied: CrashSituation = {
    ...crashed,
    sign: { kind: 'emptied', keys: 0 },
    views: seen({ linked: true }),
    replicas: [replica('B', { link: 'syncing', keys: 3 })],
    bridges: [],
  };
  t.match(decideCrash(emptied), order);
  t.match(decideCrash({ ...emptied, replicas: [replica('B', { link: 'connected', keys: 0 })] }), { kind: 'wait' });
  t.match(decideCrash({ ...emptied, replicas: [replica('B', { keys: undefined })] }), { kind: 'wait' });
  t.match(decideCrash({ ...emptied, sign: { kind: 'emptied', keys: 3 } }), { kind: 'wait' });
  t.match(decideCrash({ ...emptied, replicas: [replica('B', { wasInStep: false, keys: 3 })] }), { kind: 'wait' });
  t.match(decideCrash({ ...emptied, recordAgeMs: 5 }), { kind: 'refuse' });
  const oneWiped = [replica('B', { keys: 3 }), replica('C', { link: 'connected', keys: 0 })];
  const views = seen({ replicas: [replicaView('B'), replicaView('C')] });
  t.match(decideCrash({ ...emptied, views, replicas: oneWiped }), { kind: 'wait' });
});

t.test(
  'a restarted master has lost keys if a replica has more, with an append-only file only if it is empty',
  async (t) => {
    const restarted = { runId: 'r', state: 'master', persistence: 'other', keys: 3 } as const;
    const appended = { ...restarted, persistence: 'append-only' } as const;
    const replicas = [replica('B', { keys: 4 }), replica('C', { keys: undefined })];
    t.ok(hasLostKeys(restarted, replicas));
    t.notOk(hasLostKeys({ ...restarted, keys: 4 }, replicas));
    t.notOk(hasLostKeys(appended, replicas));
    t.ok(hasLostKeys({ ...appended, keys: 0 }, replicas));
    t.notOk(hasLostKeys(restarted, []));
  },
);
