import t from 'tap';
import { isPattern, matchesAny } from '../../lib/model/glob.ts';

const cases = [
  ['*', 'shard1', true],
  ['shard?', 'shard1', true],
  ['shard?', 'shard', false],
  ['shard?', 'shard12', false],
  ['a.c', 'abc', false],
  ['a[1]', 'a[1]', true],
  ['a[1]', 'a1', false],
] as const;

t.test('a star matches any text and a question mark one character', async (t) => {
  for (const [pattern, name, expected] of cases) t.equal(matchesAny([pattern], name), expected, `${pattern} ${name}`);
});

t.test('only a name with a star or a question mark is a pattern', async (t) => {
  t.strictSame(['shard*', 'shard?', 'a[1]', '{a}', '!a', 'a.b'].map(isPattern), [
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});
