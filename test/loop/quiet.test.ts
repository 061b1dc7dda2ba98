import t from 'tap';
import { Loop } from '../../lib/loop/loop.ts';
import type { Outcome } from '../../lib/loop/outcome.ts';
import { waitFor } from '../sandbox/condition.ts';

const hint = { source: 'test', event: 'wake' };

t.test('a loop is quiet for the time since its last hint, whether or not a run is under way', async (t) => {
  const reconciler = { name: 'test', reconcile: () => run.promise };
  const run = Promise.withResolvers<Outcome>();
  const loop = new Loop({ reconciler, resyncMs: 60_000 });
  t.teardown(() => {
    run.resolve({ kind: 'unchanged' });
    return loop.stop({ graceMs: 0 });
  });
  t.equal(loop.quietMs, Number.POSITIVE_INFINITY);
  const beforeMs = performance.now();
  loop.wake('a', hint);
  const afterMs = performance.now();
  const { quietMs } = loop;
  t.ok(quietMs >= 0 && quietMs <= performance.now() - beforeMs);
  await waitFor('some time to pass', () => loop.quietMs > 20);
  t.ok(loop.quietMs >= performance.now() - afterMs - 1);
  loop.wake('b', hint);
  t.ok(loop.quietMs < performance.now() - afterMs);
});
