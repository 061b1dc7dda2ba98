import fc from 'fast-check';
import t from 'tap';
import { ProtocolError, RequestParser } from '../../lib/endpoint/resp/request-parser.ts';

const limits = { lineBytes: 64, bulkBytes: 100, commandBytes: 1_000, arguments: 8 };

function parse(chunks: readonly Buffer[]): readonly (readonly string[])[] {
  const parser = new RequestParser(() => limits);
  const commands: (readonly string[])[] = [];
  for (const chunk of chunks) {
    parser.push(chunk);
    for (let command = parser.next(); command !== undefined; command = parser.next()) commands.push(command);
  }
  return commands;
}

function encode(command: readonly string[]): string {
  return `*${command.length}\r\n${command.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`).join('')}`;
}

t.test('commands are the same wherever the stream is cut', async () => {
  const command = fc.array(fc.string({ maxLength: 20, unit: 'grapheme' }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(fc.array(command, { maxLength: 5 }), fc.infiniteStream(fc.nat(7)), (commands, cuts) => {
      const bytes = Buffer.from(commands.map(encode).join(''));
      const chunks: Buffer[] = [];
      for (let at = 0; at < bytes.length; ) {
        const size = 1 + (cuts.next().value ?? 0);
        chunks.push(bytes.subarray(at, at + size));
        at += size;
      }
      t.strictSame(parse(chunks), commands);
    }),
    { numRuns: 200 },
  );
});

t.test('inline commands and empty lines', async (t) => {
  t.strictSame(parse([Buffer.from('\r\nPING\r\n  SENTINEL  masters \n*0\r\n*-1\r\nPING\r\n')]), [
    ['PING'],
    ['SENTINEL', 'masters'],
    ['PING'],
  ]);
});

t.test('what exceeds a limit is refused before it is collected', async (t) => {
  const refused = (text: string, message: string): void => {
    t.throws(() => parse([Buffer.from(text)]), new ProtocolError(message), JSON.stringify(text.slice(0, 30)));
  };
  refused('*9\r\n', 'invalid multibulk length');
  refused('*99999999999999\r\n', 'invalid multibulk length');
  refused('*x\r\n', 'invalid multibulk length');
  refused('*01\r\n', 'invalid multibulk length');
  refused('PING "a\r\n', 'unbalanced quotes in request');
  refused('*1\r\n$101\r\n', 'invalid bulk length');
  refused('*1\r\n$-5\r\n', 'invalid bulk length');
  refused('*1\r\n+OK\r\n', "expected '$', got '+'");
  refused('*1\r\n\0\r\n', "expected '$', got '?'");
  refused('x'.repeat(65), 'too big inline request');
  refused(`*1\r\n$${'1'.repeat(70)}`, 'too big bulk count string');
});
