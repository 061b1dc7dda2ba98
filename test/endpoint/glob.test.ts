import t from 'tap';
import { matchesGlob } from '../../lib/endpoint/glob.ts';

const table: readonly (readonly [string, string, boolean])[] = [
  ['*', '+switch-master', true],
  ['*', '', true],
  ['+switch-master', '+switch-master', true],
  ['+switch*', '+switch-master', true],
  ['*down', '+sdown', true],
  ['*down', '+sdownx', false],
  ['?sdown', '-sdown', true],
  ['?sdown', 'sdown', false],
  ['[+-]odown', '-odown', true],
  ['[^+]odown', '+odown', false],
  ['[a-c]x', 'bx', true],
  ['[a-c]x', 'dx', false],
  ['\\*', '*', true],
  ['\\*', 'x', false],
  ['a*b*c', 'aXbYbZc', true],
  ['a*b*c', 'aXc', false],
  ['[', 'x', false],
  ['', '', true],
  ['', 'x', false],
];

t.test("Redis' globs", async (t) => {
  for (const [pattern, text, expected] of table)
    t.equal(matchesGlob(pattern, text), expected, `${pattern} on ${JSON.stringify(text)}`);
});

t.test('a pattern of many stars takes no exponential time', async (t) => {
  t.equal(matchesGlob(`${'*a'.repeat(500)}b`, 'a'.repeat(1_000)), false);
});
