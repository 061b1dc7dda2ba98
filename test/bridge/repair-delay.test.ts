import t from 'tap';
import { RepairDelay } from '../../lib/bridge/repair-delay.ts';

t.test('a difference must last before it is corrected, each difference for itself', async (t) => {
  const repairDelay = new RepairDelay(() => 0.5);
  t.equal(repairDelay.leftMs('x', 0), 650);
  t.equal(repairDelay.leftMs('x', 600), 50);
  t.equal(repairDelay.leftMs('y', 600), 650);
  t.ok(repairDelay.leftMs('y', 1_250) <= 0);
  repairDelay.settled();
  t.equal(repairDelay.leftMs('y', 1_250), 650);
});

t.test('two bridges that see different Sentinels do not correct each other without end', async (t) => {
  const repairDelay = new RepairDelay(() => 0);
  const waits: number[] = [];
  let nowMs = 0;
  for (let n = 0; n < 14; n += 1) {
    const waitMs = repairDelay.leftMs('x', nowMs);
    waits.push(waitMs);
    nowMs += waitMs;
    repairDelay.corrected('x', nowMs);
  }
  t.strictSame(waits.slice(0, 7), [300, 300, 300, 300, 600, 1_200, 2_400]);
  t.equal(waits.at(-1), 76_800, 'at most');
  t.equal(repairDelay.leftMs('x', nowMs + 3_600_000), 300, 'long after, it counts as new');
});
