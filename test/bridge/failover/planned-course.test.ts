import t from 'tap';
import { PlannedCourse } from '../../../lib/bridge/failover/planned-course.ts';
import type { PlannedFailoverParts } from '../../../lib/bridge/failover/planned-steps.ts';
import { OrdersUnderWay } from '../../../lib/loop/orders-under-way.ts';

const { ends } = new OrdersUnderWay();
const open = (timeoutMs: number) => new PlannedCourse('m', { ends } as PlannedFailoverParts, { timeoutMs });

t.test('nothing is given up sooner than Sentinel promotes a replica, once it was ordered to', async (t) => {
  for (const [given, ordered] of [
    [100, 5_000],
    [5_000, 5_000],
    [60_000, 60_000],
  ] as const) {
    const course = open(given);
    t.equal(course.timeoutMs, given);
    t.ok(course.pauseMs >= 3 * ordered, 'the writes wait for as long as any step may take');
    course.stages.reached('ordered');
    t.equal(course.timeoutMs, ordered);
    // As after a coordinated failover that was given up.
    course.stages.undo('ordered');
    t.equal(course.timeoutMs, given);
  }
});
