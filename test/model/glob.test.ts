import t from 'tap';
import { isPattern, makeMatcher, matchesAny } from '../../lib/model/glob.ts';

const cases = [
  ['*', 'shard1', true],
  ['shard?', 'shard1', true],
  ['shard?', 'shard', false],
  ['shard?', 'shard12', false],
  ['a.c', 'abc', false],
  ['a[1]', 'a[1]', true],
  ['a[1]', 'a1', false],
  ['', '', true],
  ['', 'a', false],
  ['*', '', true],
  ['a*b*c', 'abcbc', true],
  ['a*b*c', 'aXbXcX', false],
  ['*ab', 'aab', true],
  ['a**?', 'ab', true],
  ['a**?', 'a', false],
  ['a*', 'b\na', false],
  ['a*', 'a\nb', true],
  [`${'a*'.repeat(40)}b`, 'a'.repeat(20_000), false],
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

t.test('a matcher of many patterns matches what any of them matches', async (t) => {
  for (const [pattern, name, expected] of cases)
    t.equal(makeMatcher(['other', pattern, 'x?y'])(name), expected, `${pattern} ${name}`);
});
