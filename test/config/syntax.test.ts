import { writeFileSync } from 'node:fs';
import t from 'tap';
import { LineCounter, parseDocument, type Scalar, type YAMLMap } from 'yaml';
import { loadConfig } from '../../lib/config/load.ts';
import type { Problem } from '../../lib/config/problem.ts';
import { findMistakes } from '../../lib/config/syntax.ts';
import { SwitchmasterError } from '../../lib/errors.ts';

/* What YAML permits, or permits with a warning, and what would not mean what it looks like. */

const folder = t.testdir();

async function problemsOf(name: string, text: string): Promise<readonly string[]> {
  writeFileSync(`${folder}/${name}`, text);
  try {
    await loadConfig({ paths: [`${folder}/${name}`], environment: {} });
    return [];
  } catch (thrown) {
    const { problems = [] } = SwitchmasterError.from(thrown).details as { problems?: readonly Problem[] };
    return problems.map(({ place, message, hint }) => `${place?.line}:${place?.column} ${message} (${hint})`);
  }
}

function repeat(count: number, line: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => line(i)).join('');
}

t.test('a key that is in a map twice is named, with both lines', async (t) => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['c.yml', 'log: {}\nlog: {}\n', '2:1 the key "log" is here a second time; the first is in line 1'],
    [
      'c.json',
      '{"log":\n {"level": "info",\n "\\u006cevel": "warn"}}',
      '3:2 the key "level" is here a second time; the first is in line 2',
    ],
    [
      'c.yml',
      'templates:\n- vars:\n    1: a\n    "1": b\n',
      '4:5 the key "1" is here a second time; the first is in line 3',
    ],
  ];
  for (const [name, text, expected] of cases)
    t.strictSame(await problemsOf(name, text), [`${expected} (keep one of them)`], text);
});

t.test('many mistakes are not all listed, and each is found once', async (t) => {
  const keys = Array.from({ length: 10_000 }, (_, i) => `k${i % 5_000}: 1\n`);
  const problems = await problemsOf('c.yml', keys.join(''));
  t.equal(problems.length, 51);
  t.equal(problems[0], '5001:1 the key "k0" is here a second time; the first is in line 1 (keep one of them)');
  t.equal(problems[49], '5050:1 the key "k49" is here a second time; the first is in line 50 (keep one of them)');
  t.equal(problems[50], '5051:1 4950 more mistakes begin here (correct the others first)');
});

t.test('keys are read a few times each, however many there are', (t) => {
  for (const sameKey of ['same', 'other'] as const) {
    const text = Array.from({ length: 2_000 }, (_, i) => `${sameKey === 'same' ? 'k' : `k${i}`}: 1\n`).join('');
    const document = parseDocument(text, { uniqueKeys: false, lineCounter: new LineCounter() });
    let reads = 0;
    for (const { key } of (document.contents as YAMLMap<Scalar>).items) {
      const { value } = key;
      Object.defineProperty(key, 'value', {
        get() {
          reads += 1;
          return value;
        },
      });
    }
    findMistakes(document, () => 1);
    t.ok(reads < 10 * 2_000, String(reads));
  }
  t.end();
});

t.test('each of many unknown keys is reported at its line, also behind a merged map', async (t) => {
  const problems = await problemsOf(
    'c.yml',
    `log: &log\n  m: 1\nconsul:\n  <<: *log\n${repeat(48, (i) => `  k${i}: 1\n`)}`,
  );
  t.equal(problems.length, 50);
  for (const [line, column] of [
    [2, 3],
    [5, 3],
    [52, 3],
  ])
    t.ok(
      problems.some((problem) => problem.startsWith(`${line}:${column} unknown key`)),
      `${line}`,
    );
});

t.test('of more unknown keys, unknown sections and wrong values, fifty are listed', async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    [`log:\n${repeat(50_000, (i) => `  k${i}: 1\n`)}`, '52:3 49950 more mistakes begin here'],
    [repeat(50_000, (i) => `k${i}: 1\n`), '51:1 49950 more mistakes begin here'],
    [`log:\n${repeat(51, (i) => `  k${i}: 1\n`)}`, '52:3 1 more mistake is here'],
    [`register:\n${repeat(60, () => '  - { kind: x }\n')}`, '52:13 10 more mistakes begin here'],
    [`k: 1\nlog:\n${repeat(60, (i) => `  k${i}: 1\n`)}`, '52:3 11 more mistakes begin here'],
  ];
  for (const [text, last] of cases) {
    const problems = await problemsOf('c.yml', text);
    t.equal(problems.length, 51, last);
    t.equal(problems[50], `${last} (correct the others first)`);
  }
});

t.test('many mistakes in one section hide none of the others, and all are counted', async (t) => {
  const unknown = repeat(60, (i) => `  k${i}: 1\n`);
  const text = `consul:\n${unknown}api:\n  listen: 5\n  tokenFile: 5\nsentinell: {}\nlog:\n  level: x\n  format: x\n  a: 1\n  b: 1\n`;
  const problems = await problemsOf('c.yml', text);
  t.match(problems[43], /^45:3 unknown key/);
  t.strictSame(
    problems.slice(44).map((problem) => problem.replace(/ \(.*/, '')),
    [
      '46:3 16 more mistakes begin here',
      '63:11 must be a string, not a number',
      '64:14 must be a string, not a number',
      '65:1 unknown section',
      '67:10 must be one of debug, info, warn, error',
      '68:11 must be one of auto, json, pretty',
      '69:3 unknown key',
      '70:3 1 more mistake is here',
    ],
  );
  const message = /^The configuration has 67 problems:/;
  await t.rejects(loadConfig({ paths: [`${folder}/c.yml`], environment: {} }), { message });
  writeFileSync(
    `${folder}/c.yml`,
    repeat(120, () => 'k: 1\n'),
  );
  const repeated = /^The configuration has 119 problems:/;
  await t.rejects(loadConfig({ paths: [`${folder}/c.yml`], environment: {} }), { message: repeated });
});

t.test('a tag that other programs replace is refused', async (t) => {
  const text = 'log: !include log.yml\nconsul:\n  address: !ENV ADDRESS\n  tokenFile: !!js/function x\n';
  t.strictSame(
    await problemsOf('c.yml', text),
    ['1:6 the tag !include', '3:12 the tag !ENV', '4:14 the tag tag:yaml.org,2002:js/function'].map(
      (tag) => `${tag} has no meaning here (write the value itself)`,
    ),
  );
});

t.test('a second document is refused at its line', async (t) => {
  const expected = '2:1 a second document begins here (remove the line `---`, or write two files)';
  t.strictSame(await problemsOf('c.yml', 'log: {}\n---\napi: {}\n'), [expected]);
});
