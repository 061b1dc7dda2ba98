import t from 'tap';
import { Overrun, runWithin } from '../../lib/template/bounded/time-limit.ts';

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
  let begun = false;
  const running = runWithin({ limitMs: 1_000, cost: 'little', work: () => (begun = true) });
  t.equal(begun, true);
  await running;
  for (const cost of ['little', 'unknown'] as const) {
    const thrown = await runWithin({ limitMs: 20, cost, work: endless }).catch((error) => error);
    t.ok(thrown instanceof Overrun, cost);
  }
});
