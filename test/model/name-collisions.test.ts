import t from 'tap';
import { NameCollisions } from '../../lib/model/name-collisions.ts';

t.test('a name has the names that DNS cannot distinguish from it', async (t) => {
  const found = new NameCollisions();
  const names = ['a.b', 'a-b', 'c'];
  t.strictSame(found.groupOf('a.b', names), ['a-b', 'a.b']);
  t.strictSame(found.groupOf('a-b', names), ['a-b', 'a.b']);
  t.equal(found.groupOf('c', names), undefined);
  t.equal(found.groupOf('unknown', names), undefined);
  t.strictSame(found.groupOf('c', [...names, 'C']), ['C', 'c'], 'another list counts at once');
});

t.test('a list is compared once, whatever the number of its names', async (t) => {
  const found = new NameCollisions();
  const names = Array.from({ length: 100 }, (_, n) => `shard${n}`);
  const counted = countReads(names);
  for (const name of names) t.equal(found.groupOf(name, counted.names), undefined);
  t.equal(counted.reads(), 100);
});

function countReads(names: readonly string[]) {
  let reads = 0;
  const counting = new Proxy(names, {
    get: (target, key, receiver) => {
      if (typeof key === 'string' && /^\d+$/.test(key)) reads += 1;
      return Reflect.get(target, key, receiver);
    },
  });
  return { names: counting, reads: () => reads };
}
