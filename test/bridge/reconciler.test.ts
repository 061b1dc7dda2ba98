import t from 'tap';
import type { FollowMode } from '../../lib/bridge/plan/decision.ts';
import { Bridge, type BridgeOptions } from '../../lib/bridge/reconciler.ts';

function delaysOf(follow: FollowMode): readonly number[] {
  const bridge = new Bridge({ settings: { follow } } as BridgeOptions);
  const events = ['+promoted-slave', '-role-change', '+failover-state-reconf-slaves', '+slave-reconf-sent', '+sdown'];
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
