import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { parse as parseYaml } from 'yaml';
import { inferFormat, type TemplateFormat, templateFormats } from '../../lib/template/format.ts';
import { parameters } from '../property/parameters.ts';
import { renderText, textOf } from './world.ts';

const hostile = [
  'a\nb',
  'a"b',
  "a'b",
  'a#b',
  'a #b',
  '{{x}}',
  'a\u0000b',
  '\u0007',
  'a\\',
  '$HOME',
  '`id`',
  'a: b',
  '- a',
  '\u2028',
  '\u0085',
  '',
  'x'.repeat(100_000),
];

function print(format: TemplateFormat, text: string, x: unknown): string {
  return textOf(renderText({ format, text, vars: { x } }));
}

t.test('the format follows from the name', async (t) => {
  t.equal(inferFormat('app.json.hbs', '/x/app.yml'), 'json');
  t.equal(inferFormat('app.hbs', '/x/app.yml'), 'yaml');
  t.equal(inferFormat('haproxy.cfg.hbs'), 'haproxy');
  t.equal(inferFormat('strange.hbs', '/etc/strange'), 'conf');
});

t.test('a value that is kept for later leaves no trace, whatever the format', async (t) => {
  const set =
    '{{scratch.Set "x" "a"}}{{scratch.SetX "x" "b"}}{{scratch.MapSet "m" "k" 1}}{{scratch.MapSetX "m" "k" 2}}';
  for (const format of templateFormats.filter((one) => one !== 'env')) {
    t.equal(textOf(renderText({ format, text: `${set}"{{scratch.Get "x"}}"` })).trim(), '"a"', format);
  }
  t.equal(textOf(renderText({ format: 'env', text: `${set}A={{scratch.Get "x"}}\n` })), 'A=a\n');
});

t.test('JSON: with or without quotes around it, a value comes back as it was', async (t) => {
  for (const x of hostile) {
    t.same(JSON.parse(print('json', '{"a": "{{vars.x}}", "b": {{vars.x}}, "{{vars.x}}": 1}', x)), {
      a: x,
      b: x,
      [x]: 1,
    });
  }
  t.equal(print('json', '[{{vars.x}}, "{{vars.x}}"]', 5), '[5, "5"]');
  t.match(print('json', '[1,]', 0), /template-failed: t\.hbs: The rendered text is not JSON/);
  t.match(print('json', '["\\{{vars.x}}"]'.replace('\\', '\\u0'), 'x'), /not JSON/);
});

t.test('YAML: any value in double quotes comes back as it was', async (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (x) => {
      const text = print('yaml', 'a: "{{vars.x}}"\nb: [ "{{vars.x}}", 1 ]\n', x);
      const { a, b } = parseYaml(text);
      return a === x && b[0] === x && b[1] === 1;
    }),
    parameters({ runs: 40 }),
  );
  t.pass('every value');
});

t.test('YAML: whatever the place, a value is written as it was or refused', async (t) => {
  const places = [
    'a: {{vars.x}}\n',
    "a: '{{vars.x}}'\n",
    'a: "x {{vars.x}}"\n',
    'a:\n  - k{{vars.x}}\n',
    'a: 1 # {{vars.x}}\nb: 2\n',
    'a: |\n  t {{vars.x}}\nb: 1\n',
    '{{vars.x}}: 1\n',
    '{a: {{vars.x}} }\n',
    "a: it's {{vars.x}}\n",
    'a: "\\"{{vars.x}}"\n',
    "a: 'it''s {{vars.x}}'\n",
  ];
  const value = fc.oneof(fc.constantFrom(...hostile.slice(0, -1)), fc.string(), fc.string({ unit: 'binary' }));
  fc.assert(
    fc.property(fc.constantFrom(...places), value, (place, x) => {
      const text = print('yaml', place, x);
      if (text.startsWith('value-refused: ') || text.startsWith('template-failed: ')) return true;
      // The same shape as with a harmless value.
      const shape = (node: unknown): unknown =>
        Array.isArray(node)
          ? node.map(shape)
          : typeof node === 'object' && node !== null
            ? Object.values(node).map(shape)
            : 0;
      return isDeepStrictEqual(shape(parseYaml(text)), shape(parseYaml(print('yaml', place, 'x'))));
    }),
    parameters({ runs: 150 }),
  );
  t.pass('every value');
});

t.test('YAML: a value without quotes must be a plain scalar', async (t) => {
  t.equal(print('yaml', '- {{vars.x}}:1 a', '10.0.0.1:6379'), '- 10.0.0.1:6379:1 a');
  t.equal(print('yaml', 'a: {{vars.x}}', 6379), 'a: 6379');
  t.match(
    print('yaml', 'a: x{{vars.x}}', 'b: c'),
    /^value-refused: t\.hbs:1:5: \{\{vars\.x\}\} is "b: c": .*double quotes/,
  );
  t.match(print('yaml', 'a: x{{vars.x}}', 'b:'), /value-refused/);
  t.match(print('yaml', 'a: {{vars.x}}', ''), /needs quotes/);
});

const lines: readonly (readonly [TemplateFormat, string])[] = [
  ['haproxy', 'server {{vars.x}} 10.0.0.1:1\n'],
  ['haproxy', 'log-format "a {{vars.x}} b"\n'],
  ['haproxy', "log-format 'a {{vars.x}} b'\n"],
  ['haproxy', 'a # {{vars.x}}\n'],
  ['env', 'KEY={{vars.x}}\n'],
  ['env', 'KEY="{{vars.x}}"\n'],
  ['env', "KEY='{{vars.x}}'\n"],
  ['conf', 'dir {{vars.x}};\n'],
  ['conf', 'dir "{{vars.x}}";\n'],
  ['text', '{{vars.x}}\n'],
];

for (const [format, template] of lines) {
  t.test(`${format}: ${JSON.stringify(template)} is one line whatever the value`, async (t) => {
    fc.assert(
      fc.property(fc.oneof(fc.constantFrom(...hostile), fc.string(), fc.string({ unit: 'binary' })), (x) => {
        const text = print(format, template, x);
        if (text.startsWith('value-refused: ')) return true;
        // biome-ignore lint/suspicious/noControlCharactersInRegex: looked for on purpose
        return text.endsWith('\n') && !/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(text.slice(0, -1));
      }),
      parameters({ runs: 40 }),
    );
    t.pass('every value');
  });
}

t.test('where a value cannot be quoted, a bare word takes no spaces, comments, quotes or expansions', async (t) => {
  for (const x of ['a b', 'a#b', 'a"b', "a'b", 'a\\', '$a', '{{a}}', 'a;b', 'a%b', '(a)']) {
    t.match(print('conf', 'a={{vars.x}}', x), /^value-refused/);
    t.match(print('env', 'A=b{{vars.x}}', x), /^value-refused/);
    t.match(print('redis', 'a={{vars.x}}', x), /^value-refused/);
    t.match(print('redis', '{{vars.x}}:1', x), /^value-refused.*":" follows it in the same word/);
  }
  t.equal(print('haproxy', 'server a {{vars.x}}', '[::1]:6379'), 'server a [::1]:6379');
});

t.test('an empty value keeps its place before the next word', async (t) => {
  t.match(print('haproxy', 'server {{vars.x}} 10.0.0.1:1', ''), /empty value/);
  t.match(print('haproxy', 'server a {{vars.x}}', ''), /empty value/);
  t.equal(print('env', 'KEY={{vars.x}}\n', ''), 'KEY=\n');
  t.equal(print('haproxy', 'a "{{vars.x}}" b', ''), 'a "" b');
});

const passwords = [
  '#ai%EQie!^i',
  'two words',
  'a"b',
  "it's",
  'back\\slash\\',
  '$HOME',
  'pässwörd',
  'a;b',
  '`id`',
  '{x}',
];

t.test('Redis: any value comes back as it was, in and without quotes', async (t) => {
  for (const x of [...passwords, '']) {
    const text = print('redis', 'requirepass {{vars.x}}\nmasterauth "{{vars.x}}"\n', x);
    t.same(
      text.trim().split('\n').map(readRedisWords),
      [
        ['requirepass', x],
        ['masterauth', x],
      ],
      text,
    );
  }
  t.equal(print('redis', "requirepass '{{vars.x}}'\n", "it's"), "requirepass 'it\\'s'\n");
  t.equal(print('redis', 'port {{vars.x}}\n', 26379), 'port 26379\n', 'a plain value stays plain');
  t.equal(print('redis', 'user a >{{vars.x}} on\n', 'b').split(' ').length, 4);
  for (const name of ['sentinel.conf.hbs', '/etc/redis/redis.conf', '/etc/redis/redis-6380.conf', 'valkey.conf'])
    t.equal(inferFormat(name), 'redis', name);
  t.equal(inferFormat('nginx.conf'), 'conf');
});

/** As Redis's sdssplitargs (sds.c), for the forms that the format writes. */
function readRedisWords(line: string): readonly string[] {
  return [...line.matchAll(/"((?:\\.|[^"\\])*)"|(\S+)/g)].map(([, quoted, bare]) =>
    quoted === undefined ? (bare ?? '') : quoted.replace(/\\(.)/g, '$1'),
  );
}

t.test('env: a value that is all of KEY=value is quoted as shells, systemd and dotenv read it alike', async (t) => {
  for (const password of passwords) {
    // At the end, some of them take a backslash for an escape of the quote.
    const x = password.replace(/\\$/, '');
    const text = print('env', 'KEY={{vars.x}}\n', x);
    if (password !== x) t.match(print('env', 'KEY={{vars.x}}\n', password), /^value-refused/);
    if (x.includes("'")) t.equal(text, `KEY="${x}"\n`);
    else t.match(text, /^KEY=('[^']*'|[^' ]*)\n$/);
  }
  t.match(print('env', 'KEY={{vars.x}}\n', `a'b"c`), /^value-refused/);
});

t.test('HAProxy: a value is quoted anywhere in a word', async (t) => {
  t.equal(print('haproxy', 'stats auth u:{{vars.x}}\n', '#ai%EQie!^i'), 'stats auth u:"#ai%EQie!^i"\n');
  t.equal(print('haproxy', 'log-tag {{vars.x}}\n', 'q"$HOME\\ x'), 'log-tag "q\\"\\$HOME\\\\ x"\n');
});

t.test('HAProxy: quotes and variables are escaped within double quotes', async (t) => {
  t.equal(print('haproxy', 'log-tag "{{vars.x}}"', 'q"$HOME\\'), 'log-tag "q\\"\\$HOME\\\\"');
});

t.test('a value that the template marks as safe is written unchanged', async (t) => {
  t.equal(print('haproxy', 'a {{raw vars.x}}\n', 'b c\nd'), 'a b c\nd\n');
});

t.test('conf: no quotes hold a variable, because programs such as nginx expand it in both kinds', async (t) => {
  for (const x of ['$host', 'a$b', '\\', "it's"]) t.match(print('conf', "a '{{vars.x}}';\n", x), /^value-refused/, x);
  t.match(print('conf', 'a "{{vars.x}}";\n', '$host'), /^value-refused/);
  t.equal(print('env', "A='{{vars.x}}'\n", '$host'), "A='$host'\n");
});

t.test('conf: quotes hold nothing that supervisord, systemd, Apache or a shell evaluates in them', async (t) => {
  for (const quote of ['"', "'"]) {
    const text = `a ${quote}{{vars.x}}${quote};\n`;
    for (const x of ['%(ENV_HOME)s', '%{HOME}e', '%h', '50%']) t.match(print('conf', text, x), /^value-refused/, x);
    t.equal(print('conf', text, 'a%20b'), `a ${quote}a%20b${quote};\n`);
  }
  t.match(print('conf', 'a "{{vars.x}}"\n', '`id`'), /^value-refused/);
  for (const text of ['a %{{vars.x}}', 'a "%{{vars.x}}"', "a '%%%{{vars.x}}'", "a b'%{{vars.x}}'"]) {
    for (const x of ['h', '(ENV_HOME)s', 'A'])
      t.match(print('conf', `${text}\n`, x), /^value-refused.*% before it|^value-refused.*bare word/, `${text} ${x}`);
    t.equal(print('conf', `${text}\n`, '20'), `${text.replace('{{vars.x}}', '20')}\n`);
  }
  const behindEmpty = renderText({ format: 'conf', text: 'a "%{{vars.y}}{{vars.x}}"\n', vars: { x: 'h', y: '' } });
  t.match(textOf(behindEmpty), /^value-refused/);
  for (const text of ['a "%%{{vars.x}}"', 'a "%h{{vars.x}}"', 'a 5%-{{vars.x}}', '# %{{vars.x}}'])
    t.equal(print('conf', `${text}\n`, 'h'), `${text.replace('{{vars.x}}', 'h')}\n`);
});
