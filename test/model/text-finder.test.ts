import fc from 'fast-check';
import t from 'tap';
import { Redactor } from '../../lib/model/redaction.ts';
import { TextFinder } from '../../lib/model/text-finder.ts';
import { inSlices } from '../../lib/template/bounded/loop-turns.ts';
import { makePacker } from '../../lib/template/bounded/wire.ts';

/** Many others, which are in no text: few are searched for in another way. */
const others = Array.from({ length: 20 }, (_, i) => `other ${i}`);

function finderOf(texts: readonly string[]): TextFinder {
  const finder = new TextFinder();
  for (const text of texts) finder.add({ text, from: 0, length: text.length });
  return finder;
}

const marked = (texts: readonly string[], text: string) => {
  const marks = new Uint8Array(text.length);
  [...finderOf([...texts, ...others]).mark(text, marks)];
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
  [...finderOf(['abcd', 'cdef']).mark('xabcdef', marks)];
  t.strictSame([...marks], [0, 1, 1, 1, 1, 1, 1], 'few texts');
  t.end();
});

t.test('thousands of secret lines are removed without a pause', async (t) => {
  const lines = Array.from({ length: 20_000 }, (_, i) => `10.0.${i >> 8}.${i & 255} host-${i}.example.com`);
  const redactor = new Redactor();
  redactor.learn([lines.join('\n'), ...lines]);
  const text = lines.map((line) => `user ${line}`).join('\n');
  const before = process.cpuUsage();
  const shown = await inSlices(redactor.redactingWhole(text));
  const { user, system } = process.cpuUsage(before);
  t.equal(shown.replaceAll('user [secret]\n', ''), 'user [secret]');
  // By a search for each line, it takes ten seconds and more.
  t.ok(user + system < 3_000_000, `${user + system} µs`);
});

t.test('what takes too many comparisons is removed to its end', (t) => {
  const texts = Array.from({ length: 400 }, (_, i) => `${'a'.repeat(4 + i)}b`);
  const text = 'a'.repeat(20_000);
  const shown = marked(texts, text);
  t.match(shown, /^a+#+$/);
  t.equal(shown.length, text.length);
  t.end();
});

/** The largest processor time between two pauses, in milliseconds, and how many pauses there are. */
function longestSlice(work: Generator<void, unknown>): { readonly ms: number; readonly pauses: number } {
  let ms = 0;
  for (let pauses = 0; ; pauses += 1) {
    const before = process.threadCpuUsage();
    const { done } = work.next();
    const { user, system } = process.threadCpuUsage(before);
    ms = Math.max(ms, (user + system) / 1_000);
    if (done === true) return { ms, pauses };
  }
}

t.test('secrets of megabytes are learned, and removed from a text of megabytes, in slices', (t) => {
  const size = 256 * 1024;
  const fill = (line: (i: number) => string) => {
    let text = '';
    for (let i = 0; text.length < size; i += 1) text += `${line(i)}\n`;
    return text;
  };
  const secrets = {
    'short lines': fill((i) => (i + 1_000_000).toString(36)),
    'the same line': fill(() => 'abcd'),
    'long lines that differ in the middle': fill((i) => `${'a'.repeat(600)}${i}${'b'.repeat(600)}`),
    'lines of growing length': fill((i) => 'a'.repeat(4 + (i % 3_000))),
    'lines that JSON writes in another way': fill((i) => `"${i}\\"`),
    'one line': 'ab'.repeat(size / 2),
  };
  for (const [what, secret] of Object.entries(secrets)) {
    const redactor = new Redactor();
    const learning = longestSlice(redactor.learning([secret]));
    const redacting = longestSlice(redactor.redactingWhole(secret.slice(0, -1).replaceAll('a', 'c')));
    t.ok(learning.ms < 300 && redacting.ms < 300, `${what}: ${learning.ms} and ${redacting.ms} ms`);
    t.ok(what === 'one line' || learning.pauses > 8, `${what}: ${learning.pauses} pauses`);
    const line = secret.slice(0, secret.indexOf('\n') + 1).trim();
    t.equal(redactor.redact(`it said ${line}!`), line === '' ? 'it said !' : 'it said [secret]!', what);
  }
  t.end();
});

t.test('while the table grows, each text that was added is found', (t) => {
  const finder = new TextFinder();
  const name = (i: number) => `text-${i * 7919}.`;
  const isFound = (text: string) => {
    const marks = new Uint8Array(text.length);
    for (const _ of finder.mark(text, marks));
    return marks.every((mark) => mark === 1);
  };
  for (let i = 0; i < 3_000; i += 1) {
    const text = name(i);
    for (const _ of [1, 2]) finder.add({ text, from: 0, length: text.length });
    const others = [0, i >> 1, i - 1].map((one) => name(Math.max(0, one)));
    if (i > 20 && ![text, ...others].every(isFound)) t.fail(`${i}`);
  }
  t.equal(finder.size, 3_000);
  t.notOk(isFound('text-1.'));
  t.end();
});

t.test('to begin with a secret of megabytes takes less than to write it as JSON', (t) => {
  const text = Array.from({ length: 150_000 }, (_, i) => `secret number ${i * 7919}\n`).join('');
  const measure = (work: () => unknown): number => {
    const startMs = performance.now();
    work();
    return performance.now() - startMs;
  };
  const attempts = Array.from({ length: 5 }, () => {
    const learning = new Redactor().learning([text]);
    return { first: measure(() => learning.next()), json: measure(() => JSON.stringify(text)) };
  });
  t.ok(Math.min(...attempts.map(({ first }) => first)) < Math.min(...attempts.map(({ json }) => json)));
  t.end();
});

t.test('of texts with one hash, too many are marked rather than too few', (t) => {
  // Of a long line, only some characters in the middle count for the hash.
  const lines = Array.from(
    { length: 200 },
    (_, i) => `${'a'.repeat(1_001)}${String(i).padStart(4, '0')}${'a'.repeat(1_000)}`,
  );
  const finder = finderOf([...lines, ...others]);
  for (const line of lines) {
    const marks = new Uint8Array(line.length);
    [...finder.mark(line, marks)];
    t.ok(
      marks.every((mark) => mark === 1),
      line.slice(1_001, 1_005),
    );
  }
  t.end();
});

t.test('former secrets of megabytes are forgotten', (t) => {
  const redactor = new Redactor();
  const make = (i: number) => `secret-number-${i}-${'x'.repeat(1024 * 1024)}`;
  for (let i = 0; i < 20; i += 1) redactor.learn([make(i)]);
  const isRemoved = (i: number) => redactor.redact(make(i)) === '[secret]';
  t.ok(isRemoved(19));
  t.ok(isRemoved(16));
  t.notOk(isRemoved(0));
  t.end();
});

t.test('parts of the current secrets are removed, however many former ones there are', (t) => {
  const redactor = new Redactor();
  const secretOf = (i: number) =>
    Array.from({ length: 5_000 }, (_, at) => `${i}-${at * 7919};`)
      .join('')
      .slice(0, 60_000);
  for (let i = 0; i < 10; i += 1) {
    const secrets = [`config ${'pw'.repeat(10)}`, secretOf(i)];
    redactor.learn(secrets);
    for (const secret of secrets) t.equal(redactor.redact(`<${secret.slice(5, 25)}>`), '<[secret]>', `secret ${i}`);
  }
  t.end();
});

const filled = (start: string, length: number) =>
  Array.from({ length: length / 6 }, (_, at) => `${at * 7919};`)
    .join(start)
    .slice(0, length);

t.test('parts of short secrets are removed, also where long ones leave no room for all and one changes', (t) => {
  const redactor = new Redactor();
  const config = ['consul-token-0123456', 'redis-password-87654'];
  const others = Array.from({ length: 9 }, (_, i) => filled(`other ${i}`, 60_000));
  for (const [i, changed] of ['first', 'second'].entries()) {
    others[i] = filled(changed, 60_000);
    redactor.learn([...config, ...others]);
    for (const secret of config) t.equal(redactor.redact(`<${secret.slice(3, 17)}>`), '<[secret]>', changed);
  }
  t.end();
});

t.test('a change of one secret rarely has all secrets learned again', (t) => {
  const redactor = new Redactor();
  const pauses = Array.from({ length: 25 }, (_, i) => [...redactor.learning([filled(`secret ${i}`, 60_000)])].length);
  const long = pauses.filter((count) => count > 2 * (pauses[0] ?? 0));
  t.ok(long.length > 0 && long.length <= 5, `${long.length} of 25`);
  t.end();
});

t.test('a secret that returns has its parts removed again', (t) => {
  const redactor = new Redactor();
  const secretOf = (letter: string) => `${letter.repeat(20)}${filled(letter, 60_000)}`;
  for (const letter of 'abcdefghijkl') redactor.learn([secretOf(letter)]);
  t.equal(redactor.redact(`<${'a'.repeat(12)}>`), `<${'a'.repeat(12)}>`);
  redactor.learn([secretOf('a')]);
  t.equal(redactor.redact(`<${'a'.repeat(12)}>`), '<[secret]>');
  t.end();
});

t.test('parts of many secrets of a render process are removed', (t) => {
  const secrets = Array.from({ length: 4_000 }, (_, i) => `password-${i * 7919}-${'x'.repeat(60)}`);
  const lists = { filled: [], empty: [] };
  const rest = { kind: 'pending', missing: [], missingFiles: [], dependencies: [], files: [], members: [] } as const;
  const packed = makePacker()({ ...rest, lists, secrets, warnings: [] } as never).lists.secrets ?? [];
  t.ok(packed.length < 10, 'they are few texts');
  const redactor = new Redactor();
  redactor.learn(packed);
  for (const secret of [secrets[0] ?? '', secrets.at(-1) ?? '']) {
    t.equal(redactor.redact(`<${secret}> <${secret.slice(0, 16)}>`), '<[secret]> <[secret]>');
  }
  t.end();
});
