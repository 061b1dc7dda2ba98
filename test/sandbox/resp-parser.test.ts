import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { type Reply, RespError } from './resp.ts';
import { ReplyParser } from './resp-parser.ts';

const line = fc.string().filter((text) => !/[\r\n]/.test(text));
const { reply } = fc.letrec<{ reply: Reply }>((tie) => ({
  reply: fc.oneof(
    { maxDepth: 3 },
    fc.constant(null),
    fc.integer(),
    fc.string({ unit: 'binary' }),
    line.map((text) => new RespError(text)),
    fc.array(tie('reply'), { maxLength: 4 }),
  ),
}));

function encoded(value: Reply): string {
  if (value === null) return '$-1\r\n';
  if (value instanceof RespError) return `-${value.message}\r\n`;
  if (typeof value === 'number') return `:${value}\r\n`;
  if (typeof value === 'string') return `$${Buffer.byteLength(value)}\r\n${value}\r\n`;
  return `*${value.length}\r\n${value.map(encoded).join('')}`;
}

t.test('replies are the same wherever the network splits them', async () => {
  fc.assert(
    fc.property(fc.array(reply, { maxLength: 5 }), fc.array(fc.nat()), (replies, cuts) => {
      const bytes = Buffer.from(replies.map(encoded).join(''));
      const ends = [...new Set([...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
      const parser = new ReplyParser();
      const read = ends.flatMap((end, index) => parser.push(bytes.subarray(ends[index - 1] ?? 0, end)));
      return isDeepStrictEqual(read, replies);
    }),
    { numRuns: 200 },
  );
});

t.test('bytes that are no Redis reply are refused', async (t) => {
  t.throws(() => new ReplyParser().push(Buffer.from('HTTP/1.1 400 Bad Request\r\n')), /not a Redis reply/);
});
