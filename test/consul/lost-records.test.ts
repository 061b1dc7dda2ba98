import t from 'tap';
import { LostRecords } from '../../lib/consul/lost-records.ts';
import { formatRecord } from '../../lib/model/record.ts';
import { makeRecord } from '../template/world.ts';

const prefix = 'redis/record/';
const entry = (name: string, modifyIndex: number) => {
  const value = formatRecord(makeRecord({ name, master: { host: '10.0.0.7', port: 6379 } }));
  return { key: `${prefix}${name}`, value, modifyIndex };
};
const remembered = (name: string, highest: number) => ({ ...entry(name, 0), highest });

/** The lost masters after each answer: `present` have a record, all of \`a\` and \`b\` are followed. */
function start() {
  const clock = { ms: 0 };
  const lost = new LostRecords({ prefix, before: [], onEnd: () => undefined, now: () => clock.ms });
  const note = (names: readonly string[], { index, resets = 0 }: { index: number; resets?: number }) => {
    const entries = names.map((name) => entry(name, index));
    lost.note({ entries, plainKeys: undefined, index: BigInt(index), resets }, { known: ['a', 'b'], present: names });
    return [...lost.names];
  };
  return { clock, lost, note, close: () => lost.close() };
}

t.test('what a former daemon knew counts, whether it arrives before the first answer or after it', async (t) => {
  for (const order of ['before', 'after']) {
    const { lost, note, close } = start();
    t.teardown(close);
    if (order === 'before') lost.remember([remembered('a', 9), remembered('b', 9)]);
    note(['b'], { index: 12 });
    if (order === 'after') lost.remember([remembered('a', 9), remembered('b', 9)]);
    t.ok(lost.names.has('a'), order);
  }
});

t.test('a record of an older index does not show that the data is the same, although its text is', async (t) => {
  for (const order of ['before', 'after']) {
    const { lost, note, close } = start();
    t.teardown(close);
    if (order === 'before') lost.remember([remembered('a', 9), remembered('b', 9)]);
    note(['b'], { index: 7 });
    if (order === 'after') lost.remember([remembered('a', 9), remembered('b', 9)]);
    t.ok(lost.names.has('a'), order);
  }
});

t.test('a further fall does not extend the hold of a record that is missing', async (t) => {
  const { clock, note, close } = start();
  t.teardown(close);
  note(['a', 'b'], { index: 20 });
  t.same(note(['b'], { index: 3, resets: 1 }), ['a', 'b']);
  clock.ms = 500_000;
  t.same(note(['b'], { index: 4, resets: 2 }), ['a', 'b']);
  clock.ms = 601_000;
  t.same(note(['b'], { index: 5, resets: 2 }), ['b']);
  clock.ms = 1_101_000;
  t.same(note(['b'], { index: 6, resets: 2 }), []);
});

t.test('a record that comes back and is lost again is held for the whole time', async (t) => {
  const { clock, note, close } = start();
  t.teardown(close);
  note(['a', 'b'], { index: 20 });
  note([], { index: 3, resets: 1 });
  clock.ms = 500_000;
  note(['a', 'b'], { index: 9, resets: 1 });
  note([], { index: 3, resets: 2 });
  clock.ms = 1_000_000;
  t.same(note([], { index: 4, resets: 2 }), ['a', 'b']);
});
