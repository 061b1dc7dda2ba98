import t from 'tap';
import { splitInline } from '../../lib/endpoint/resp/inline.ts';

const table: readonly (readonly [string, readonly string[] | undefined])[] = [
  ['', []],
  ['  ', []],
  ['SENTINEL  masters ', ['SENTINEL', 'masters']],
  ['SENTINEL master "shard 1"', ['SENTINEL', 'master', 'shard 1']],
  ["SENTINEL master 'it\\'s'", ['SENTINEL', 'master', "it's"]],
  ['PING ""', ['PING', '']],
  ['PING "a\\x41\\n\\"\\q"', ['PING', 'aA\n"q']],
  ["PING 'a\\n'", ['PING', 'a\\n']],
  ['PING a"b c"', ['PING', 'ab c']],
  ['PING "a" "b"', ['PING', 'a', 'b']],
  ['PING "a', undefined],
  ["PING 'a", undefined],
  ['PING "a"b', undefined],
  ["PING 'a'b", undefined],
  ['PING "a"\'b\'', undefined],
];

t.test('the words of an inline command', async (t) => {
  for (const [line, words] of table) t.strictSame(splitInline(line), words, line);
});

t.test('a long line takes no exponential time', async (t) => {
  t.equal(splitInline(`"${'\\"'.repeat(30_000)}`), undefined);
});
