import t from 'tap';

/* The page's module, with the package in place of the file that a browser loads. */
Object.assign(globalThis, { Diff: await import('diff') });
const script = new URL('../../../lib/http/page/diff.js', import.meta.url).href;
const { diffLines } = (await import(script)) as { diffLines(before: string, after: string): readonly string[] };

const numbers = (count: number) => Array.from({ length: count }, (_, i) => `${i + 1}\n`);

t.test('a change is shown with three lines around it, and with its place in the files', async (t) => {
  const before = numbers(20);
  t.strictSame(diffLines(before.join(''), before.with(9, 'ten\n').join('')), [
    '@@ -7,7 +7,7 @@',
    ...[' 7', ' 8', ' 9', '-10', '+ten', ' 11', ' 12', ' 13'],
  ]);
});

t.test('changes far from each other have a place each', async (t) => {
  const before = numbers(40);
  const lines = diffLines(before.join(''), before.with(0, 'one\n').with(39, 'forty\n').join(''));
  t.strictSame(
    lines.filter((line) => /^[-+@]/.test(line)),
    ['@@ -1,4 +1,4 @@', '-1', '+one', '@@ -37,4 +37,4 @@', '-40', '+forty'],
  );
});

t.test('texts that take too long to compare are shown one after the other', async (t) => {
  const many = (word: string) => Array.from({ length: 20_000 }, (_, i) => `${word} ${(i * 7919) % 20_011}`);
  const [before, after] = [many('a'), many('b')];
  const startMs = performance.now();
  const lines = diffLines(before.join('\n'), after.join('\n'));
  t.ok(performance.now() - startMs < 10_000);
  t.strictSame(lines, [...before.map((line) => `-${line}`), ...after.map((line) => `+${line}`)]);
});
