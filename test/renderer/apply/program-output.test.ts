import { once } from 'node:events';
import { Readable } from 'node:stream';
import t from 'tap';
import { readLines } from '../../../lib/renderer/apply/program-output.ts';

async function read(chunks: Iterable<string>): Promise<{ readonly lines: readonly string[]; readonly lost: number }> {
  const stream = Readable.from([...chunks].map((chunk) => Buffer.from(chunk)));
  const lines: string[] = [];
  let lost = 0;
  readLines(stream, {
    onLine: (line) => lines.push(line),
    onLost: (count) => {
      lost += count;
    },
  });
  await once(stream, 'close');
  return { lines, lost };
}

t.test('lines are read as they are, whichever pieces they come in', async (t) => {
  t.strictSame(await read(['a\nb', 'c\r', '\n\n', 'd']), { lines: ['a', 'bc', '', 'd'], lost: 0 });
  const bytes = Buffer.from('naïve\n');
  t.strictSame(await read([...bytes].map((byte) => String.fromCharCode(byte)).slice(0, 2)), { lines: ['na'], lost: 0 });
  t.strictSame(await read([]), { lines: [], lost: 0 });
});

t.test('the beginning of a long line is kept, and the first of many lines', async (t) => {
  const long = 'x'.repeat(50_000);
  t.strictSame(await read([long, long, long, 'y\nend\n']), { lines: ['x'.repeat(4_096), 'end'], lost: 0 });
  const { lines, lost } = await read(['a\n'.repeat(1_000), 'b\n']);
  t.ok(lines.length >= 200 && lines.length + lost === 1_001, `${lines.length} lines, ${lost} lost`);
});

t.test('a stream without an end is read slowly', async (t) => {
  let pieces = 0;
  const endless = function* () {
    for (;;) {
      pieces += 1;
      yield Buffer.alloc(65_536);
    }
  };
  const stream = Readable.from(endless(), { objectMode: false });
  t.teardown(() => stream.destroy());
  let lines = 0;
  readLines(stream, { onLine: () => (lines += 1), onLost: () => undefined });
  await once(stream, 'pause');
  t.ok(pieces <= 6, `${pieces} pieces`);
  await once(stream, 'resume');
  await once(stream, 'pause');
  t.ok(pieces <= 12, `${pieces} pieces`);
  t.equal(lines, 0);
});
