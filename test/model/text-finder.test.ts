import fc from 'fast-check';
import t from 'tap';
import { Redactor } from '../../lib/model/redaction.ts';
import { TextFinder } from '../../lib/model/text-finder.ts';

/** Many others, which are in no text: few are searched for in another way. */
const others = Array.from({ length: 20 }, (_, i) => `other ${i}`);

const marked = (texts: readonly string[], text: string) => {
  const marks = new Uint8Array(text.length);
  new TextFinder([...texts, ...others]).mark(text, marks);
  return [...text].map((char, at) => (marks[at] === 1 ? '#' : char)).join('');
};

/** The plain way to do it. */
function markedPlainly(texts: readonly string[], text: string): string {
  const marks = [...text];
  for (const one of texts) {
    for (let at = text.indexOf(one); at >= 0; at = text.indexOf(one, at + 1)) marks.fill('#', at, at + one.length);
  }
  return marks.join('');
}

t.test('texts are found wherever they are, alone and within each other', (t) => {
  t.equal(marked(['abcd', 'cdef', 'cdefgh'], 'xabcdefghx abcd'), 'x########x ####');
  t.equal(marked([], 'abcd'), 'abcd');
  t.equal(marked(['abcd'], 'abc'), 'abc');
  const long = 'x'.repeat(70);
  t.equal(marked([`${long}a`, `${long}b`], `${long}b${long}c`), `${'#'.repeat(71)}${long}c`);
  t.end();
});

t.test('any texts are found in any text', (t) => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 300 });
  const some = fc.array(fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 4, maxLength: 80 }), { maxLength: 6 });
  fc.assert(fc.property(some, letters, (texts, text) => marked(texts, text) === markedPlainly(texts, text)));
  const marks = new Uint8Array(7);
  new TextFinder(['abcd', 'cdef']).mark('xabcdef', marks);
  t.strictSame([...marks], [0, 1, 1, 1, 1, 1, 1], 'few texts');
  t.end();
});

t.test('thousands of secret lines are removed without a pause', (t) => {
  const lines = Array.from({ length: 20_000 }, (_, i) => `10.0.${i >> 8}.${i & 255} host-${i}.example.com`);
  const redactor = new Redactor();
  redactor.learn([lines.join('\n'), ...lines]);
  const text = lines.map((line) => `user ${line}`).join('\n');
  const before = process.cpuUsage();
  const shown = redactor.redactWhole(text);
  const { user, system } = process.cpuUsage(before);
  t.equal(shown.replaceAll('user [secret]\n', ''), 'user [secret]');
  // By a search for each line, it takes ten seconds and more.
  t.ok(user + system < 3_000_000, `${user + system} µs`);
  t.end();
});

t.test('what takes too many comparisons is removed to its end', (t) => {
  const texts = Array.from({ length: 400 }, (_, i) => `${'a'.repeat(4 + i)}b`);
  const text = 'a'.repeat(20_000);
  const shown = marked(texts, text);
  t.match(shown, /^a+#+$/);
  t.equal(shown.length, text.length);
  t.end();
});
