import t from 'tap';
import { drawRecording } from '../../demo/animated-terminal.ts';
import { readPage } from './pages.ts';

const playback = { columns: 10, rows: 2, longestPauseMs: 1_000, shortestPauseMs: 100, holdMs: 2_000 };
const draw = (...lines: readonly (readonly [number, string])[]) =>
  drawRecording(
    lines.map(([atMs, text]) => ({ atMs, text })),
    playback,
  );

t.test('a recording shows each line at its time, with long pauses shortened and short ones prolonged', async (t) => {
  const svg = draw([5_000, 'one'], [5_001, 'two'], [5_500, 'three']);
  // 1,000, 1,100 and 1,599 of 3,599 ms.
  t.strictSame(
    [...svg.matchAll(/@keyframes l\d\{0%\{opacity:0\}([\d.]+%)/g)].map((match) => match[1]),
    ['27.79%', '30.56%', '44.43%'],
  );
  t.match(svg, /44\.43%\{transform:translateY\(-18px\)\}/, 'the third line of two rows scrolls them');
});

t.test("the terminal's colours and XML's characters are translated, and long lines end with an ellipsis", async (t) => {
  t.match(draw([0, '\u001b[32m✓\u001b[39m a<b& c']), '<tspan class="g">✓</tspan> a&lt;b&amp; c</text>');
  t.match(draw([0, '\u001b[1m12345\u001b[22m678901']), '<tspan class="b">12345</tspan>6789…</text>');
  t.match(draw([0, '1234567890']), '>1234567890</text>');
});

t.test("the README's recording is small, and plays without a script and without another file", async (t) => {
  const { text: readme } = await readPage('README.md');
  t.match(readme, '(docs/images/failover.svg)');
  const { text: svg } = await readPage('docs/images/failover.svg');
  t.ok(svg.length < 60_000);
  t.match(svg, /^<svg [\s\S]*<\/svg>\n$/);
  t.notMatch(svg, /<script|href=|url\((?!#p\))/);
});
