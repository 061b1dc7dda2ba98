import { spawnSync } from 'node:child_process';
import t from 'tap';
import { parse } from 'yaml';
import { renderText, textOf } from './world.ts';

/* YAML of both versions: a reader gets the text of the catalog, as a text. */

function print(template: string, x: unknown): string {
  return textOf(renderText({ text: template, format: 'yaml', vars: { x } }));
}

const ambiguous = `~ null Null NULL true True TRUE false yes Yes YES no No NO on On ON off OFF y Y n N << =
  0 1 -1 +1 00 08 0777 -0777 1_000 1__0 1_ 1,000 0b1010 0o7 0O7 0x1F 0xdead_beef 123456789012345678901234567890
  1.10 1. .5 -.5 +.5 1e3 1E3 1.5e+3 12e03 685.230_15e+03 0.1_0 .inf -.inf +.Inf .nan .NaN .NAN
  1:30 12:30:45 190:20:30 190:20:30.15 -1:30 2001-01-01 2001-1-1 2001-12-14T21:59:43.10-05:00`.split(/\s+/);
const structural = [
  'a: b',
  '- a',
  '# a',
  'a #b',
  '*a',
  '&a',
  '!a',
  '|',
  '>',
  '%a',
  '@a',
  '`a',
  '[a',
  '{a',
  "'a",
  '"a',
  ',',
];
const plain = ['10.0.0.1', '10.0.0.1:6379', 'shard-1', 'none', 'nope', 'v1.10', '1a', '1.2.3', 'a:b', '1s', '512mb'];
const strange = [
  'a\u0085b',
  'a\u2028b',
  'a\u2029b',
  'a\u007fb',
  'a\ufffeb',
  'a\uffffb',
  '\ufeffa',
  'a\u0000b',
  'a\u009fb',
  'a\ttab',
  'a\nb',
];

const places: Readonly<Record<string, (read: unknown) => unknown>> = {
  '{{vars.x}}': (read) => read,
  '--- {{vars.x}}\n': (read) => read,
  'a: {{vars.x}}\n': (read) => at(read, 'a'),
  'a: {{vars.x}} # no\n': (read) => at(read, 'a'),
  'a:\n  - {{vars.x}}\n  - b\n': (read) => at(at(read, 'a'), 0),
  '- - {{vars.x}}\r\n': (read) => at(at(read, 0), 0),
  '- &a {{vars.x}}\n': (read) => at(read, 0),
  'a: [{{vars.x}}, b]\n': (read) => at(at(read, 'a'), 0),
  'a: [ b , {{vars.x}} ]\n': (read) => at(at(read, 'a'), 1),
  '{ a: {{vars.x}}, b: 1 }\n': (read) => at(read, 'a'),
  'a: {{toYAML vars.x}}\n': (read) => at(read, 'a'),
  'a: {{toJSON vars.x}}\n': (read) => at(read, 'a'),
  'a: "{{vars.x}}"\n': (read) => at(read, 'a'),
};

function at(node: unknown, key: string | number): unknown {
  return (node as Record<string | number, unknown>)[key];
}

/** The readers of both versions. */
function readAll(text: string): readonly unknown[] {
  return (['1.1', '1.2'] as const).map((version) => parse(text, { version, merge: true, logLevel: 'silent' }));
}

const cases = [...ambiguous, ...structural, ...plain, ...strange].flatMap((x) =>
  Object.entries(places).map(([template, find]) => ({ x, find, text: print(template, x) })),
);

t.test('a text stays a text in both versions', async (t) => {
  const wrong = cases.filter(({ x, find, text }) =>
    readAll(text)
      .map(find)
      .some((read) => read !== x),
  );
  t.same(
    wrong.map(({ x, text }) => [x, text]),
    [],
  );
});

t.test('a text as a key stays a text', async (t) => {
  for (const x of [...ambiguous, ...plain]) {
    for (const template of ['{{vars.x}}: 1\n', 'a: { {{vars.x}}: 1 }\n', '? {{vars.x}}\n: 1\n']) {
      const text = print(template, x);
      const key = /: "[^"]*"|"[^"]*"/.test(text) ? `"${x}"` : x;
      t.ok(text.includes(key) && (plain.includes(x) || text.includes(`"${x}"`)), `${x}: ${text}`);
    }
  }
});

t.test('plain texts stay without quotes, and so do numbers and booleans', async (t) => {
  for (const x of plain) t.equal(print('a: {{vars.x}}\n', x), `a: ${x}\n`);
  for (const x of [6379, -1, 1.5, true, false]) t.equal(print('a: {{vars.x}}\n', x), `a: ${x}\n`);
  t.equal(print('a: {{vars.x}}000\n', 50), 'a: 50000\n');
  t.equal(print('a: {{parseInt vars.x}}\n', '50'), 'a: 50\n');
});

t.test('a part of a scalar is refused if the whole is ambiguous', async (t) => {
  for (const [template, x] of [
    ['a: 1.{{vars.x}}\n', '10'],
    ['a: {{vars.x}}.10\n', '1'],
    ['a: {{vars.x}}{{vars.x}}\n', '1'],
    ['a: 0{{vars.x}}\n', 'x1F'],
    ['a: n{{vars.x}}\n', 'o'],
    ['a: [12:{{vars.x}}]\n', '30'],
    ['- {{vars.x}}-01-01\n', '2001'],
    ['o{{vars.x}}: 1\n', 'n'],
  ] as const)
    t.match(print(template, x), /^value-refused.*some readers take the whole for a number/, template);
  for (const [template, x] of [
    ['a: {{vars.x}}s\n', '10'],
    ['a: v{{vars.x}}\n', '1.10'],
    ['a: {{vars.x}}.{{vars.x}}.1\n', '1'],
    ['a: of {{vars.x}} items\n', '10'],
    ['a: !!int {{vars.x}}\n', '10'],
    ['- {{vars.x}}:6379:1 a\n', '10'],
    ['a: x, {{vars.x}}\n', 'b'],
    ['a: |\n  {{vars.x}}\n', 'no'],
    ['a: 1 # {{vars.x}}\n', 'no'],
  ] as const)
    t.equal(print(template, x), template.replaceAll('{{vars.x}}', x), template);
});

t.test('characters that a reader drops or takes for a line break are refused outside double quotes', async (t) => {
  for (const x of strange)
    for (const template of ["a: '{{vars.x}}'\n", 'a: 1 # {{vars.x}}\n', 'a: |\n  {{vars.x}}\n', 'a: x{{vars.x}}\n'])
      t.match(print(template, x), /^value-refused/, `${strange.indexOf(x)} in ${JSON.stringify(template)}`);
  for (const format of ['conf', 'haproxy', 'redis', 'env', 'text'] as const)
    t.match(textOf(renderText({ text: 'a {{vars.x}}', format, vars: { x: 'a\udc00' } })), /^value-refused/, format);
});

const python = 'import sys, json, yaml; json.dump([yaml.safe_load(text) for text in json.load(sys.stdin)], sys.stdout)';
/** Debian's own may be behind another one. */
const interpreter = ['python3', '/usr/bin/python3'].find(
  (program) => spawnSync(program, ['-c', 'import yaml']).status === 0,
);

t.test('PyYAML reads the same texts', async (t) => {
  const input = JSON.stringify(cases.map(({ text }) => text));
  const { stdout, stderr } = spawnSync(interpreter ?? 'python3', ['-c', python], { input, encoding: 'utf8' });
  t.equal(stderr, '');
  const read = JSON.parse(stdout) as readonly unknown[];
  t.same(
    cases.filter(({ x, find }, i) => find(read[i]) !== x).map(({ x, text }) => [x, text]),
    [],
  );
});

t.test('no value names a tag, an anchor or an alias', async (t) => {
  const text = [
    'a: !@ q',
    'a: !!@ q',
    'a: !!python/@ q',
    'a: &@ q',
    'a: &b q\nc: *@',
    '- !@',
    '[!@ q]',
    '{a: *@ }',
    'a: !!map &@ {}',
    '--- !@',
  ];
  for (const template of text) {
    t.match(print(template.replace('@', '{{vars.x}}'), 'object'), /is written in the template/, template);
    t.match(print(template.replace('@', '{{vars.x}}{{vars.x}}'), 'o'), /is written in the template/, template);
  }
  // There, the signs are a part of a text.
  for (const template of ['a: b *@', 'a: b!@', 'a: "!@"', "a: '&@'", 'a: b # !@', 'a: |\n  *@'])
    t.match(print(template.replace('@', '{{vars.x}}'), 'object'), 'object', template);
});

t.test('spaces alone are refused where a reader drops them', async (t) => {
  for (const template of ['a: |\n  {{vars.x}}\n', 'a: >-\n  {{vars.x}}\nb: 1\n'])
    for (const x of [' ', '   ']) t.match(print(template, x), /^value-refused.*structure/, template);
  for (const template of ['a: "{{vars.x}}"\n', 'a: {{vars.x}}\n']) t.equal(print(template, ' '), 'a: " "\n');
});

t.test('half a pair of UTF-16 is refused, and << is a name', async (t) => {
  for (const template of [
    'a: {{vars.x}}',
    'a: "{{vars.x}}"',
    '{{vars.x}}: a',
    'a: {{toJSON vars.x}}',
    'a: {{toYAML vars.x}}',
  ])
    for (const half of ['\ud800', 'a\udc00', '\\\ud83d'])
      t.match(print(template, half), /half of a pair|control/, template);
  t.equal(print('a: {{toJSON vars.x}}', '\\ud800 \u{1f600}'), 'a: "\\\\ud800 \u{1f600}"');
  t.equal(print('{{toYAML vars.x}}', { '<<': { a: 'b' } }), '"<<":\n  a: b');
});

t.test('an output that is not YAML is refused where a value had to be escaped', async (t) => {
  for (const broken of ['a: [1, 2', 'a: b: c', 'a: "x', '\ta: 1', 'a: @b', 'a: *none']) {
    const result = renderText({ text: `${broken}\nd: {{vars.x}}\n`, format: 'yaml', vars: { x: 'a: b' } });
    t.match(result, { kind: 'failed', error: { code: 'template-failed', message: /not YAML/ } }, broken);
  }
});

t.test('several documents, the same key twice and tags of other programs are YAML', async (t) => {
  for (const text of ['a: 1\n---\n', 'a: 1\na: 2\n', 'a: !Ref b\n']) {
    t.equal(print(`${text}d: {{vars.x}}\n`, 'a: b'), `${text}d: "a: b"\n`);
  }
});
