import { createRequire } from 'node:module';
import fc from 'fast-check';
import t from 'tap';
import { Push, type Reply, ReplyError, ReplyParser } from '../../lib/client/reply-parser.ts';

/** The parser of ioredis, which has no types. */
const { Decoder } = createRequire(import.meta.url)('ioredis/built/resp/decoder.js');

type Read = Reply | Push;

/** What arrives in these chunks. All are in one buffer, as in a connection. */
function read(chunks: readonly Buffer[]): readonly Read[] {
  const parser = new ReplyParser();
  const replies: Read[] = [];
  const shared = Buffer.alloc(Math.max(1, ...chunks.map(({ length }) => length)));
  for (const chunk of chunks) {
    shared.fill(0x78);
    chunk.copy(shared);
    parser.push(shared.subarray(0, chunk.length));
    for (let reply = parser.next(); reply !== undefined; reply = parser.next()) replies.push(reply);
  }
  return replies;
}

const bytesOf = (text: string) => Buffer.from(text);
const single = (bytes: Buffer) => Array.from(bytes, (byte) => Buffer.from([byte]));

const table: readonly (readonly [string, string, Read])[] = [
  ['a simple string', '+OK\r\n', 'OK'],
  ['an error', '-ERR no\r\n', new ReplyError('ERR no')],
  ['a number', ':-42\r\n', -42],
  ['a string with line breaks', '$6\r\na\r\nb\r\n\r\n', 'a\r\nb\r\n'],
  ['a string of several bytes a character', '$6\r\n\u00e9\u20acx\r\n', '\u00e9\u20acx'],
  ['an empty string', '$0\r\n\r\n', ''],
  ['no string', '$-1\r\n', null],
  ['no list', '*-1\r\n', null],
  ['an empty list', '*0\r\n', []],
  ['lists in a list', '*3\r\n*1\r\n:1\r\n*0\r\n*1\r\n*1\r\n$1\r\nx\r\n', [[1], [], [['x']]]],
  ['an error in a list', '*2\r\n-ERR no\r\n:1\r\n', [new ReplyError('ERR no'), 1]],
  ['ROLE', '*3\r\n$6\r\nmaster\r\n:42\r\n*1\r\n*2\r\n$1\r\na\r\n$1\r\n7\r\n', ['master', 42, [['a', '7']]]],
  ['RESP3: nothing', '_\r\n', null],
  ['RESP3: booleans', '*2\r\n#t\r\n#f\r\n', [1, 0]],
  ['RESP3: a double', ',1.5\r\n', '1.5'],
  ['RESP3: a big number', '(18446744073709551616\r\n', '18446744073709551616'],
  ['RESP3: a long error', '!6\r\nERR no\r\n', new ReplyError('ERR no')],
  ['RESP3: a text for people', '=8\r\ntxt:a\r\nb\r\n', 'a\r\nb'],
  ['RESP3: a map', '%2\r\n+a\r\n:1\r\n+b\r\n*0\r\n', ['a', 1, 'b', []]],
  ['RESP3: a set', '~2\r\n+a\r\n+b\r\n', ['a', 'b']],
  ['RESP3: a push', '>2\r\n+invalidate\r\n*1\r\n+key\r\n', new Push(['invalidate', ['key']])],
];

for (const [what, text, reply] of table)
  t.test(`${what} is read, whole and byte by byte`, async (t) => {
    t.strictSame(read([bytesOf(text)]), [reply]);
    t.strictSame(read(single(bytesOf(text))), [reply]);
    t.strictSame(read([bytesOf(text + text)]), [reply, reply], 'two in one chunk');
  });

const refused: readonly (readonly [string, string, RegExp])[] = [
  ['HTTP', 'HTTP/1.1 400 Bad Request\r\n', /protocol/],
  ['a TLS alert, which has no line break', '\x15\x03\x03\x00\x02\x02\x28', /protocol/],
  ['an attribute of RESP3, which no server sends without HELLO', '|1\r\n', /protocol/],
  ['a number that is none', ':x\r\n', /no number/],
  ['a length that is none', '$1x\r\n', /no number/],
  ['a list of a length that is none', '*\r\n', /no number/],
  ['a string with more bytes than it says', '$1\r\nabc\r\n', /another length/],
  ['a string longer than 16 MB', '$16777217\r\n', /too long/],
  ['a line without an end', `+${'x'.repeat(65_537)}`, /too long a line/],
  ['33 lists in one another', '*1\r\n'.repeat(33), /too many levels/],
  ['a list of more than a million items', `*2000000\r\n${'_\r\n'.repeat(1_000_000)}`, /too many items/],
  ['a list of more than a thousand errors', `*2000\r\n${'-\r\n'.repeat(1_001)}`, /too many errors/],
  [
    'a list of lists longer than 16 MB',
    `*1000000\r\n${'*1\r\n+xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n'.repeat(440_000)}`,
    /too long/,
  ],
];

for (const [what, text, message] of refused)
  t.test(`${what} is refused`, async (t) => {
    t.throws(() => read([bytesOf(text)]), { name: 'ProtocolError', message });
  });

t.test('a list that announces more items than memory has takes no memory for them', async (t) => {
  t.strictSame(read([bytesOf('*9999999999999\r\n:1\r\n')]), []);
});

t.test('a long string is read from chunks of one byte, and what follows it', async (t) => {
  const text = 'x\n'.repeat(50_000);
  t.strictSame(read(single(bytesOf(`*2\r\n$${text.length}\r\n${text}\r\n:1\r\n+OK\r\n`))), [[text, 1], 'OK']);
});

t.test('each reply may have as many items as another', async (t) => {
  const list = `*600000\r\n${'_\r\n'.repeat(600_000)}`;
  t.equal(read([bytesOf(list), bytesOf(list)]).length, 2);
});

t.test('a reply of 8 MB in chunks of 1 kB is read once', async (t) => {
  const text = 'x'.repeat(8 * 1024 * 1024);
  const whole = bytesOf(`$${text.length}\r\n${text}\r\n`);
  const chunks = Array.from({ length: Math.ceil(whole.length / 1_024) }, (_, k) =>
    whole.subarray(k * 1_024, (k + 1) * 1_024),
  );
  const [reply] = read(chunks);
  t.ok(reply === text);
});

/** Replies on the wire, of every type. */
const { wire } = fc.letrec<{ wire: string; leaf: string; list: string }>((tie) => ({
  leaf: fc.oneof(
    fc.stringMatching(/^[ -~]{0,8}$/).map((text) => `+${text}\r\n`),
    fc.stringMatching(/^[ -~]{0,8}$/).map((text) => `-ERR ${text}\r\n`),
    fc.integer().map((number) => `:${number}\r\n`),
    fc.string({ unit: 'binary', maxLength: 12 }).map((text) => `$${Buffer.byteLength(text)}\r\n${text}\r\n`),
    fc.constantFrom('$-1\r\n', '*-1\r\n', '_\r\n', '#t\r\n', '#f\r\n', '=5\r\ntxt:x\r\n', '(12345678901234567890\r\n'),
  ),
  list: fc.array(tie('wire'), { maxLength: 4 }).map((items) => `*${items.length}\r\n${items.join('')}`),
  wire: fc.oneof({ maxDepth: 4 }, tie('leaf'), tie('list')),
}));

function readByIoredis(chunks: readonly Buffer[]): readonly unknown[] {
  const replies: unknown[] = [];
  const text = { 43: String, 36: String, 61: String, 40: String, 44: String, 35: Number, 37: Array, 126: Array };
  const decoder = new Decoder({
    getTypeMapping: () => text,
    onReply: (reply: unknown) => replies.push(reply),
    onErrorReply: (error: unknown) => replies.push(error),
    onPush: () => {},
  });
  for (const chunk of chunks) decoder.write(chunk);
  return replies;
}

/** An error of either parser as its text. */
const plain = (reply: unknown): unknown => {
  if (reply instanceof Error) return { error: reply.message };
  return Array.isArray(reply) ? reply.map(plain) : reply;
};

t.test('whatever a server sends, in whatever chunks, is read as ioredis reads it', async (t) => {
  const cuts = fc.array(fc.nat({ max: 400 }), { maxLength: 8 });
  const property = fc.property(fc.array(wire, { maxLength: 4 }), cuts, (texts, at) => {
    const bytes = bytesOf(texts.join(''));
    const ends = [...new Set([...at.filter((end) => end > 0 && end < bytes.length), bytes.length])].toSorted(
      (a, b) => a - b,
    );
    const chunks = ends.map((end, k) => bytes.subarray(ends[k - 1] ?? 0, end));
    t.strictSame(read(chunks).map(plain), readByIoredis(chunks).map(plain));
  });
  fc.assert(property, { numRuns: 500 });
});
