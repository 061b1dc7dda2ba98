import t, { type Test } from 'tap';
import type { ConsulQuery } from '../../lib/model/query.ts';
import { hear, start } from './script.ts';

/** Two watches that block: on the folder `a/` at 70, and on another query. */
async function followTwo(t: Test, other: ConsulQuery) {
  const { script, watches } = start(t);
  const { follow, heard } = hear(watches);
  (await script.next()).answer([entry('a/x', 60)], 70);
  const first = await script.next();
  const second = { heard: [] as string[], follow: watches.follow(other, (event) => second.heard.push(event)) };
  (await script.next()).answer([entry('b/x', 50)], 50);
  return { script, first, follow, heard, second, blocked: await script.next() };
}

const entry = (key: string, modifyIndex: number) => ({ key, value: 'x', modifyIndex });
const otherTree = { kind: 'key-tree', prefix: 'b/' } as const;

t.test('a fall that one watch sees is a fall of all, and counts again for each with its own next value', async (t) => {
  const { script, first, follow, heard, second, blocked } = await followTwo(t, otherTree);
  blocked.answer([], 9);
  await script.next();
  t.match(follow.state, { resets: 1 });
  t.same(heard, ['state', 'reset']);
  // The new data has passed the old index here, and then this watch sees the fall too, in its own time.
  first.answer([], 3);
  const again = await script.next();
  t.equal(again.options.index, 0n);
  again.answer([], 3);
  await script.next();
  t.match(follow.state, { value: [], resets: 2 }, 'the old value may have been used since the report');
  t.match(second.follow.state, { resets: 0 }, 'the watch that saw the fall counts it with its next answer');
});

t.test('a value that does not show the fall itself counts too, once', async (t) => {
  const { script, first, follow, heard, second, blocked } = await followTwo(t, otherTree);
  blocked.answer([], 9);
  const other = await script.next();
  first.answer([entry('a/x', 90)], 90);
  const again = await script.next();
  t.match(follow.state, { value: [{ modifyIndex: 90 }], resets: 2 });
  again.answer([entry('a/x', 91)], 91);
  await script.next();
  t.match(follow.state, { resets: 2 });
  t.same(heard, ['state', 'reset', 'value', 'value']);
  other.answer([], 9);
  await script.next();
  t.match(second.follow.state, { value: [], resets: 1 });
});

t.test('a fall in one datacenter concerns no other', async (t) => {
  const { script, follow, blocked } = await followTwo(t, { ...otherTree, dc: 'far' });
  blocked.answer([], 9);
  await script.next();
  t.match(follow.state, { resets: 0 });
});

t.test('a key that is older than before is a fall, whatever the index', async (t) => {
  const { script, first, follow } = await followTwo(t, otherTree);
  first.answer([entry('a/x', 20)], 80);
  const again = await script.next();
  t.equal(again.options.index, 0n);
  t.match(follow.state, { value: [{ modifyIndex: 60 }] });
  again.answer([entry('a/x', 20)], 80);
  t.equal((await script.next()).options.index, 80n);
  t.match(follow.state, { value: [{ modifyIndex: 20 }], resets: 1 });
});

t.test('an index that falls while all keys stay is no fall: the trace of a deleted key has expired', async (t) => {
  const { script, first, follow, second } = await followTwo(t, otherTree);
  first.answer([entry('a/x', 60)], 60);
  t.equal((await script.next()).options.index, 60n);
  t.match(follow.state, { index: 60n, resets: 0 });
  t.match(second.follow.state, { resets: 0 });
});
