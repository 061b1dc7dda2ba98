import t from 'tap';
import { type CompletionSituation, planCompletion } from '../../../lib/bridge/failover/completion-plan.ts';
import type { ReplicaView, SentinelView } from '../../../lib/model/sentinel.ts';
import { at, record, view } from '../plan/world.ts';

const replica = (letter: string, priority?: number): ReplicaView => ({
  address: at(letter),
  condition: 'up',
  ...(priority === undefined ? {} : { priority }),
});

/** A at epoch 5 is replaced by B at epoch 6; Sentinel 1 led that and is gone. */
const promoted = record('B', { epoch: 6, phase: 'promoted', replicas: [at('A')], previous: at('A') });
const left = [2, 3].map((n) => view(n, 'A', 5, { replicas: [replica('B', 100)] }));
const leaderless: CompletionSituation = {
  record: promoted,
  views: left,
  knownSentinels: 3,
  role: 'master',
  openForMs: 0,
};

t.test('every bridge chooses the same one of the remaining Sentinels', async (t) => {
  const ask = { kind: 'order', sentinel: { host: '10.0.1.2', port: 26379 } };
  t.strictSame(planCompletion(leaderless), ask);
  t.strictSame(planCompletion({ ...leaderless, views: left.toReversed() }), ask);
});

t.test('a Sentinel in TILT mode is chosen only if there is no other', async (t) => {
  const tilted = (...ids: readonly number[]) =>
    planCompletion({
      ...leaderless,
      views: left.map((one, i) => (ids.includes(i + 2) ? { ...one, tiltSinceMs: 1_000 * i } : one)),
    });
  t.match(tilted(2), { kind: 'order', sentinel: { host: '10.0.1.3' } });
  t.match(tilted(3), { kind: 'order', sentinel: { host: '10.0.1.2' } });
  t.match(tilted(2, 3), { kind: 'order', sentinel: { host: '10.0.1.2' } });
});

const leave: Readonly<Record<string, Partial<CompletionSituation>>> = {
  'the failover is confirmed': { record: { ...promoted, phase: 'confirmed' } },
  'the replica was converted back': { role: 'replica' },
  'the replica does not answer': { role: 'unreachable' },
  'no majority of the Sentinels can be asked': { views: left.slice(0, 1) },
  'the leader is at work': { views: [...left, view(1, 'A', 5, { condition: 'failover', promoting: at('B') })] },
  'another Sentinel fails over already': { views: left.map((one) => ({ ...one, condition: 'failover' })) },
  'a Sentinel has adopted it': { views: [view(2, 'B', 6), view(3, 'A', 5)] },
  'a newer failover is over': { views: [view(2, 'C', 7), view(3, 'A', 5)] },
  'no Sentinel knows the replica': { views: left.map((one) => ({ ...one, replicas: [] })) },
  'Sentinel would never choose it': { views: left.map((one) => ({ ...one, replicas: [replica('B', 0)] })) },
};
for (const [when, changes] of Object.entries(leave)) {
  t.test(`no action if ${when}`, async (t) => {
    t.strictSame(planCompletion({ ...leaderless, ...changes }), { kind: 'leave' });
  });
}

t.test('a leader that does not finish in time counts as gone: it is stopped, or in TILT mode', async (t) => {
  const stalled = (leader: Partial<SentinelView>, openForMs = 3_500) =>
    planCompletion({
      ...leaderless,
      views: [view(1, 'A', 5, { condition: 'failover', ...leader }), ...left],
      openForMs,
    });
  t.match(stalled({ promoting: at('B') }), { kind: 'order', sentinel: { host: '10.0.1.2', port: 26379 } });
  t.strictSame(stalled({ promoting: at('B') }, 2_500), { kind: 'leave' });
  t.strictSame(stalled({ promoting: at('B'), configEpoch: 6 }), { kind: 'leave' }, 'it has seen the promotion');
  t.strictSame(stalled({ promoting: at('C') }), { kind: 'leave' }, 'another failover');
  t.strictSame(stalled({}), { kind: 'leave' }, 'an election, perhaps');
});

t.test('a replica that Sentinel could select instead must get a higher priority number first', async (t) => {
  const among = (...replicas: readonly ReplicaView[]) =>
    planCompletion({
      ...leaderless,
      views: left.map((one) => ({ ...one, replicas: [replica('B', 100), ...replicas] })),
    });
  t.match(among(replica('C', 100), replica('D', 101)), {
    kind: 'raise-priorities',
    competitors: [at('C')],
    above: 100,
  });
  t.match(among(replica('C', 50), replica('D')), {
    kind: 'raise-priorities',
    competitors: [at('C'), at('D')],
    above: 100,
  });
  t.match(among(replica('C', 101), replica('D', 0)), { kind: 'order' });
  t.match(among({ ...replica('C', 100), condition: 's_down' }), { kind: 'raise-priorities', competitors: [at('C')] });
});
