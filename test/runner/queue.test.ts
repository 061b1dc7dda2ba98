import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { runQueue } from './queue.ts';

t.test('every item runs, in order, as many beside each other as allowed', async (t) => {
  const begun: number[] = [];
  let [running, most] = [0, 0];
  await runQueue([1, 2, 3, 4, 5], {
    limits: { jobs: 2, mostJobs: 2 },
    run: async (item) => {
      begun.push(item);
      running += 1;
      most = Math.max(most, running);
      await delay(item);
      running -= 1;
    },
  });
  t.strictSame(begun, [1, 2, 3, 4, 5]);
  t.strictSame({ running, most }, { running: 0, most: 2 });
});

t.test('while the processors idle, more items run', async (t) => {
  const three = Promise.withResolvers<void>();
  let running = 0;
  await runQueue([1, 2, 3], {
    limits: { jobs: 2, mostJobs: 3 },
    processors: { idleShare: () => 0.5 },
    run: () => {
      running += 1;
      if (running === 3) three.resolve();
      return three.promise;
    },
  });
  t.equal(running, 3);
});

t.test('an empty queue ends, and an item that rejects ends it', async (t) => {
  const limits = { jobs: 2, mostJobs: 2 };
  await runQueue([], { limits, run: async () => {} });
  const run = () => Promise.reject(new Error('it broke'));
  await t.rejects(runQueue([1], { limits, run }), /it broke/);
});
