import t from 'tap';
import { consulAnswers, consulChanged, replicationChanged, saysRecorded } from '../../lib/bridge/hint.ts';
import type { FollowMode } from '../../lib/bridge/plan/decision.ts';
import { Bridge, type BridgeOptions } from '../../lib/bridge/reconciler.ts';

const last = ['+promoted-slave', '-role-change', '+failover-state-reconf-slaves', '+slave-reconf-sent', '+sdown'];

function delaysOf(follow: FollowMode, events: readonly string[] = last): readonly number[] {
  const bridge = new Bridge({ settings: { follow } } as BridgeOptions);
  return events.map((event) => bridge.delayMs({ source: 'sentinel', event, receivedMs: 0 }));
}

t.test('no run of the messages between promotion and announcement is under way when that is awaited', (t) => {
  t.strictSame(delaysOf('announcement'), [250, 250, 250, 250, 25]);
  t.end();
});

t.test('where promotions are followed, these messages may be the first ones that arrive', (t) => {
  t.strictSame(delaysOf('promotion'), [25, 25, 25, 25, 25]);
  t.end();
});

t.test('no run is under way when the promotion that was ordered is seen, where promotions are followed', (t) => {
  const ordered = ['+failover-state-wait-promotion'];
  t.strictSame([delaysOf('promotion', ordered), delaysOf('announcement', ordered)], [[250], [25]]);
  t.end();
});

t.test('a replica that ceases to replicate, as during a failover, is read when that is likely over', (t) => {
  for (const follow of ['promotion', 'announcement'] as const)
    t.strictSame(delaysOf(follow, [replicationChanged]), [1_500], follow);
  t.end();
});

t.test('no run writes that a failover is under way before the record of its master', (t) => {
  const first = ['+try-failover', '+elected-leader', '+failover-state-select-slave', '+selected-slave'];
  for (const follow of ['promotion', 'announcement'] as const)
    t.strictSame(
      delaysOf(follow, [...first, '+failover-state-send-slaveof-noone']),
      [1_000, 1_000, 1_000, 1_000, 1_000],
      follow,
    );
  t.end();
});

t.test('the answers of watches to one transaction wake one run, and Consul that answers again wakes it soon', (t) => {
  const events = [consulChanged.event, consulAnswers.event];
  for (const follow of ['promotion', 'announcement'] as const)
    t.strictSame(delaysOf(follow, events), [250, 25], follow);
  t.end();
});

t.test('what the record says already wakes a run that finds a majority, and no run before', (t) => {
  const bridge = new Bridge({ settings: { follow: 'promotion' } } as BridgeOptions);
  const events = ['+promoted-slave', '+failover-end', '+switch-master', consulChanged.event];
  const delays = events.map((event) => bridge.delayMs({ source: 'sentinel', event, receivedMs: 0, isRecorded: true }));
  t.strictSame(delays, [250, 250, 100, 1_000]);
  t.end();
});

t.test('a message says what the record has already only of the master that it names', (t) => {
  const [master, other] = ['10.0.0.1', '10.0.0.2'].map((host) => ({ host, port: 6379 }));
  if (master === undefined || other === undefined) throw new Error('there are two');
  const promoted = { master, phase: 'promoted' } as const;
  const confirmed = { master, phase: 'confirmed' } as const;
  const cases = [
    ['+switch-master', master, promoted, true],
    ['+switch-master', master, confirmed, true],
    ['+switch-master', other, promoted, false],
    ['+switch-master', undefined, promoted, false],
    ['+switch-master', master, undefined, false],
    ['+promoted-slave', master, promoted, true],
    ['+failover-end', other, promoted, true],
    ['+config-update-from', undefined, promoted, false],
    ['+promoted-slave', master, confirmed, false],
    ['+selected-slave', master, promoted, false],
    ['+sdown', master, promoted, false],
    ['-failover-abort-slave-timeout', other, promoted, false],
  ] as const;
  for (const [event, target, record, says] of cases)
    t.equal(saysRecorded({ event, target }, record), says, `${event} ${target?.host} ${record?.phase}`);
  t.end();
});
