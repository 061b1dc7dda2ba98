import t, { type Test } from 'tap';
import type { Hint } from '../../lib/loop/hint.ts';
import { Loop } from '../../lib/loop/loop.ts';
import type { Outcome, RunReport } from '../../lib/loop/outcome.ts';
import type { Run } from '../../lib/loop/run.ts';
import { waitFor } from '../sandbox/condition.ts';

/* Which hints wait, and for what: nothing that can wait is under way when Sentinel announces a failover. */

type TestHint = (Hint & { readonly kind?: undefined }) | (Hint & { readonly kind: 'alarm' | 'order' });

const change = { source: 'test', event: 'change' };
const order = { source: 'test', event: 'order', kind: 'order' } as const;
const alarm = { source: 'test', event: 'alarm', kind: 'alarm' } as const;
const unchanged: Outcome = { kind: 'unchanged' };

function makeLoop(t: Test, options: { readonly delayMs: number; readonly onReport?: (report: RunReport) => void }) {
  const runs: { readonly run: Run<TestHint>; readonly end: (outcome: Outcome) => void }[] = [];
  const loop = new Loop<TestHint>({
    reconciler: {
      name: 'test',
      reconcile: (run) => new Promise((end) => runs.push({ run, end })),
      isUrgent: ({ kind }) => kind === 'alarm',
      delayMs: ({ kind }) => (kind === undefined ? options.delayMs : 0),
    },
    resyncMs: 60_000,
    ...(options.onReport === undefined ? {} : { onReport: options.onReport }),
  });
  t.teardown(async () => {
    for (const { end } of runs) end(unchanged);
    await loop.stop({ graceMs: 0 });
  });
  const run = (n: number) =>
    waitFor(`run ${n}`, () => runs[n - 1], { until: (found) => found !== undefined, intervalMs: 1 }) as Promise<
      (typeof runs)[number]
    >;
  return { loop, runs, run };
}

t.test('hints that may wait start one run together', async (t) => {
  const { loop, runs, run } = makeLoop(t, { delayMs: 20 });
  for (let n = 0; n < 3; n += 1) loop.wake('a', change);
  t.equal(runs.length, 0);
  t.equal((await run(1)).run.hints.length, 3);
});

t.test('a hint that may not wait starts the run of those that wait', async (t) => {
  for (const hint of [order, alarm]) {
    const { loop, runs } = makeLoop(t, { delayMs: 60_000 });
    loop.wake('a', change);
    t.equal(runs.length, 0);
    loop.wake('a', hint);
    t.match(runs[0]?.run.hints, [change, hint]);
  }
});

t.test('after a run, hints that may wait still wait, and an earlier retry takes them along', async (t) => {
  const { loop, runs, run } = makeLoop(t, { delayMs: 60_000 });
  loop.wake('a', order);
  loop.wake('a', change);
  const reported = run(1);
  (await reported).end({ kind: 'held', summary: 'asks again', retryAfterMs: 1 });
  t.match((await run(2)).run.hints, [change], 'the retry came first');
  loop.wake('a', change);
  runs[1]?.end(unchanged);
  await new Promise(setImmediate);
  t.equal(runs.length, 2);
  loop.wake('a', order);
  t.match(runs[2]?.run.hints, [change, order]);
});

t.test('while an urgent run is under way, runs of other keys are postponed', async (t) => {
  const { loop, runs, run } = makeLoop(t, { delayMs: 0 });
  loop.wake('a', change);
  loop.wake('a', alarm);
  loop.wake('b', order);
  t.equal(runs.length, 1, 'the interrupted run counts as urgent');
  loop.wake('c', alarm);
  t.equal(runs.length, 2, 'another urgent run begins at once');
  runs[0]?.end(unchanged);
  t.equal((await run(3)).run.key, 'a', 'the urgent hint wakes its key again');
  for (const { end } of runs) end(unchanged);
  t.match(await run(4), { run: { key: 'b', hints: [order] } });
});

t.test('an urgent run that takes long postpones others for 100 ms', async (t) => {
  const { loop, run } = makeLoop(t, { delayMs: 0 });
  loop.wake('a', alarm);
  loop.wake('b', change);
  t.equal((await run(2)).run.key, 'b');
  t.equal((await run(1)).run.interrupted.aborted, false, 'the urgent run is still under way');
});

t.test('the report of a run does not hold up the next run', async (t) => {
  const seen: number[] = [];
  const { loop, runs, run } = makeLoop(t, { delayMs: 0, onReport: () => seen.push(runs.length) });
  loop.wake('a', change);
  loop.wake('a', alarm);
  (await run(1)).end({ kind: 'held', summary: 'ends first', retryAfterMs: 0 });
  await run(2);
  t.strictSame(seen, [2]);
});
