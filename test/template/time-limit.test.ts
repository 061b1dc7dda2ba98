import t, { type Test } from 'tap';
import { Overrun, runWithin } from '../../lib/template/bounded/time-limit.ts';
import { endWork } from './ended-work.ts';
import { makeSkip } from './skipped-time.ts';

const skip = makeSkip(t);

/** Counts the turns of the event loop while something is under way. */
async function turnsDuring(work: (turn: () => number) => Promise<unknown>): Promise<void> {
  let turn = 0;
  let state: 'busy' | 'done' = 'busy';
  const count = () => {
    turn += 1;
    if (state === 'busy') setImmediate(count);
  };
  setImmediate(count);
  await work(() => turn);
  state = 'done';
}

t.test('of work whose cost is not known, one piece runs in a turn of the event loop', async (t) => {
  const turns: number[] = [];
  await turnsDuring((turn) =>
    Promise.all(
      Array.from({ length: 20 }, () =>
        runWithin({ limitMs: 1_000, cost: 'unknown', work: () => void turns.push(turn()) }),
      ),
    ),
  );
  t.equal(new Set(turns).size, 20, 'others have the event loop in between');
});

t.test('work that took little begins at once, and also ends at its limit', async (t) => {
  const endless = () => {
    for (;;);
  };
  // Another file in this process may have ended work.
  skip(2_001);
  let begun = false;
  const running = runWithin({ limitMs: 1_000, cost: 'little', work: () => (begun = true) });
  t.equal(begun, true);
  await running;
  for (const cost of ['little', 'unknown'] as const) {
    const thrown = await runWithin({ limitMs: 20, cost, work: endless }).catch((error) => error);
    t.ok(thrown instanceof Overrun, cost);
  }
});

t.test('after a long piece of work the loop rests for as long', async (t) => {
  const times: { readonly startMs: number; readonly endMs: number }[] = [];
  const work = () => {
    const startMs = performance.now();
    while (performance.now() - startMs < 30);
    times.push({ startMs, endMs: performance.now() });
  };
  await Promise.all([1, 2, 3].map(() => runWithin({ limitMs: 10_000, cost: 'unknown', work })));
  for (const [i, { startMs }] of times.entries()) {
    const before = times[i - 1];
    if (before !== undefined) t.ok(startMs - before.endMs > 25, `${startMs - before.endMs} ms`);
  }
  t.equal(times.length, 3);
});

t.test(
  'after one that took too long, work that usually takes little gets little, and the loop rests between',
  async (t) => {
    const limitMs = 201;
    const times: { readonly startMs: number; endMs: number }[] = [];
    const endless = () => {
      const time = { startMs: performance.now(), endMs: 0 };
      times.push(time);
      for (;;) time.endMs = performance.now();
    };
    const ends = await Promise.allSettled([1, 2, 3].map(() => runWithin({ limitMs, cost: 'little', work: endless })));
    t.ok(ends.every((end) => end.status === 'rejected' && end.reason instanceof Overrun));
    // A busy machine repeats an attempt, with more time.
    const [first, second] = times as [(typeof times)[0], (typeof times)[0]];
    t.ok(second.endMs - second.startMs < 150, `${second.endMs - second.startMs} ms`);
    t.ok(second.startMs - first.endMs > 50, `${second.startMs - first.endMs} ms`);
    t.equal(await runWithin({ limitMs, cost: 'little', work: () => 'done' }), 'done');
  },
);

/** Has V8 end the first ones. Returns the limits of all, with the turn of each. */
function endFirst(t: Test, input: { readonly ends: number; readonly turn: () => number }) {
  const begun: { readonly limitMs: number; readonly turn: number }[] = [];
  endWork(t, (limitMs) => begun.push({ limitMs, turn: input.turn() }) <= input.ends);
  return begun;
}

t.test('of work that becomes endless at once, one gets a second attempt, each in a turn of its own', async (t) => {
  const runAll = () =>
    Promise.allSettled(
      Array.from({ length: 20 }, () =>
        runWithin({ limitMs: 40, cost: 'little', again: 'once', work: () => undefined }),
      ),
    );
  skip(2_001);
  await turnsDuring(async (turn) => {
    const begun = endFirst(t, { ends: 100, turn });
    await runAll();
    const limits = begun.map(({ limitMs }) => limitMs);
    t.same(limits, [40, ...Array.from({ length: 20 }, () => 10)]);
    // The loop has rested, and all of them are still warned, also on a machine that took a second until now.
    skip(200);
    await runAll();
    t.equal(begun.length, 41, 'no second attempt of those that are warned');
    t.equal(new Set(begun.map((one) => one.turn)).size, 41, 'others have the event loop in between');
  });
});

for (const [cost, expected] of [
  ['little', [40, 10]],
  ['unknown', [40, 40]],
] as const) {
  t.test(`a second attempt that is in time gives its result: ${cost}`, async (t) => {
    skip(2_001);
    const begun = endFirst(t, { ends: 1, turn: () => 0 });
    t.equal(await runWithin({ limitMs: 40, cost, again: 'once', work: () => 'done' }), 'done');
    t.same(
      begun.map(({ limitMs }) => limitMs),
      expected,
    );
  });
}

t.test('without a second attempt, work that took too long fails', async (t) => {
  skip(2_001);
  const begun = endFirst(t, { ends: 1, turn: () => 0 });
  const thrown = await runWithin({ limitMs: 40, cost: 'little', work: () => 'done' }).catch((error) => error);
  t.ok(thrown instanceof Overrun);
  t.equal(begun.length, 1);
});
