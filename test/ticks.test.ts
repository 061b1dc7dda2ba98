import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { Ticks } from '../lib/ticks.ts';
import { waitFor } from './sandbox/condition.ts';

/** Ticks that write down which of them came in the same turn of the event loop. */
function record() {
  const ticks = new Ticks();
  const turns: string[][] = [];
  let turn: string[] | undefined;
  const note = (name: string) => () => {
    if (turn === undefined) {
      turn = [];
      turns.push(turn);
      setImmediate(() => {
        turn = undefined;
      });
    }
    turn.push(name);
  };
  return { ticks, turns, note };
}

t.test('what is repeated comes in one turn of the event loop, each at its own multiple of a second', async (t) => {
  const { ticks, turns, note } = record();
  const ends = [ticks.every(1, note('a')), ticks.every(2, note('b')), ticks.every(1, note('c'))];
  await waitFor('four ticks', () => turns.length >= 4);
  for (const end of ends) end();
  t.strictSame(turns, [
    ['a', 'c'],
    ['a', 'b', 'c'],
    ['a', 'c'],
    ['a', 'b', 'c'],
  ]);
});

t.test('a task that another one of the same tick has ended is not called', async (t) => {
  const { ticks, turns, note } = record();
  const end = ticks.every(1, () => {
    note('first')();
    endSecond();
  });
  const endSecond = ticks.every(1, note('second'));
  await waitFor('two ticks', () => turns.length >= 2);
  end();
  t.strictSame(turns, [['first'], ['first']]);
});

t.test('an interval of a second that Node.js starts in the turn of a restart comes in the same turns', async (t) => {
  const { ticks, turns, note } = record();
  const end = ticks.every(1, note('tick'));
  await waitFor('a tick', () => turns.length > 0);
  turns.length = 0;
  await new Promise((resolve) => setTimeout(resolve, 300));
  const interval = setInterval(note('interval'), 1_000);
  ticks.restart();
  await waitFor('three turns', () => turns.length >= 3);
  end();
  clearInterval(interval);
  for (const turn of turns) t.strictSame(turn.toSorted(), ['interval', 'tick']);
});

t.test('the tick after a restart is not late', async (t) => {
  const ticks = new Ticks();
  const late: number[] = [];
  t.teardown(ticks.every(1, (lateMs) => late.push(lateMs)));
  const next = async () => {
    const { length } = late;
    await waitFor('a tick', () => late.length > length);
  };
  const restart = async () => {
    await next();
    await delay(700);
    ticks.restart();
    await next();
    return late.at(-1);
  };
  // On a busy machine, it may be late.
  await waitFor('one in time', restart, { until: (lateMs) => lateMs !== undefined && lateMs < 350 });
});
