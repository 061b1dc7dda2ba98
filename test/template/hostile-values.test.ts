// biome-ignore-all lint/suspicious/noTemplateCurlyInString: texts that HAProxy would replace
import fc from 'fast-check';
import t from 'tap';
import { parse } from 'yaml';
import { readOpenLine } from '../../lib/model/haproxy-config.ts';
import type { TemplateFormat } from '../../lib/template/format.ts';
import { parameters } from '../property/parameters.ts';
import { renderText, textOf } from './world.ts';

/* Values with the special characters of each format. Each is written so that it is read unchanged, or refused. */

const fragments = [
  '%',
  '%[',
  ']',
  '%{',
  '}',
  '(',
  ')',
  ',',
  '$',
  '${HOME}',
  '`',
  '"',
  "'",
  '\\',
  '\\1',
  '#',
  ' ',
  '\n',
  '\r',
  '\t',
  ':',
  ': ',
  '-',
  '- ',
  '?',
  '!',
  '&',
  '*',
  '|',
  '>',
  '@',
  '~',
  '<<',
  '=',
  '{',
  '[',
  ';',
  '<',
  'no',
  'null',
  '0x',
  '1',
  '.',
  '_',
  'e',
  'env(HOME)',
  '\u0000',
  '\u0085',
  '\u2028',
  '\ufeff',
  '\ufffe',
  '\ud800',
  '\u00e9',
  '\u{1f600}',
  'a',
  'if',
  'PATH=',
];
const value = fc.oneof(
  fc.array(fc.constantFrom(...fragments), { minLength: 1, maxLength: 6 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', minLength: 1 }),
);

function print(format: TemplateFormat, text: string, vars: Record<string, unknown>): string {
  return textOf(renderText({ format, text, vars }));
}

function isRefused(text: string): boolean {
  return /^(?:value-refused|template-failed): /.test(text);
}

t.test('YAML: both versions read the text that was given', async (t) => {
  const places: readonly (readonly [string, (read: never) => unknown])[] = [
    ['a: {{vars.x}}\n', ({ a }: { a: unknown }) => a],
    ['- {{vars.x}} # c\n- b\n', ([a]: readonly unknown[]) => a],
    ['a: [ b, {{vars.x}}, c ]\n', ({ a }: { a: readonly unknown[] }) => a[1]],
    ['a: { b: {{vars.x}} }\n', ({ a }: { a: { b: unknown } }) => a.b],
    ['a: "{{vars.x}}"\n', ({ a }: { a: unknown }) => a],
    ["a: '{{vars.x}}'\n", ({ a }: { a: unknown }) => a],
    ['a: {{toYAML vars.x}}\n', ({ a }: { a: unknown }) => a],
    ['a: {{toJSON vars.x}}\n', ({ a }: { a: unknown }) => a],
  ];
  fc.assert(
    fc.property(fc.constantFrom(...places), value, ([template, find], x) => {
      const text = print('yaml', template, { x });
      if (isRefused(text)) return true;
      return (['1.1', '1.2'] as const).every((version) => find(parse(text, { version, merge: true }) as never) === x);
    }),
    parameters({ runs: 30 }),
  );
  t.pass('every value');
});

t.test('YAML: a value beside other text changes neither the type nor the structure', async (t) => {
  const places = [
    'a: {{vars.x}}{{vars.y}}\n',
    'a: 1{{vars.x}}\n',
    'a: {{vars.x}}0\n',
    'a: [{{vars.x}}:{{vars.y}}]\n',
    '{{vars.x}}: 1\n',
  ];
  fc.assert(
    fc.property(fc.constantFrom(...places), value, value, (template, x, y) => {
      const text = print('yaml', template, { x, y });
      if (isRefused(text)) return true;
      return (['1.1', '1.2'] as const).every((version) => {
        const [[key, inner] = []] = [
          ...(parse(text, { version, mapAsMap: true, merge: false }) as Map<unknown, unknown>),
        ];
        const scalar = template.startsWith('{{') ? key : Array.isArray(inner) ? inner[0] : inner;
        return typeof scalar === 'string' && scalar.includes(x);
      });
    }),
    parameters({ runs: 30 }),
  );
  t.pass('every value');
});

t.test('HAProxy: what it reads is the value, evaluates to the value, or is refused', async (t) => {
  const formats = [
    'http-request set-header X {{vars.x}}\n',
    'log-format "a{{vars.x}}b{{vars.y}}"\n',
    "redirect prefix '{{vars.x}}'\n",
  ];
  const texts = ['stats auth {{vars.x}}:{{vars.y}}\n', 'acl a path "{{vars.x}}"\n', 'server {{vars.x}} {{vars.y}}\n'];
  fc.assert(
    fc.property(fc.constantFrom(...formats, ...texts), value, value, (template, x, y) => {
      const text = print('haproxy', template, { x, y });
      if (isRefused(text)) return true;
      const { words = [], word = '' } = readOpenLine(text.slice(0, -1)) ?? {};
      const count = template
        .replace(/".*"|'.*'/, 'x')
        .trim()
        .split(' ').length;
      if (text.indexOf('\n') !== text.length - 1 || words.length + 1 !== count) return false;
      const read = [...words, word].join(' ');
      const evaluated = formats.includes(template) ? read.replaceAll('%%', '\u0000') : read;
      return !formats.includes(template)
        ? read.includes(x)
        : !evaluated.includes('%') && evaluated.replaceAll('\u0000', '%').includes(x);
    }),
    parameters({ runs: 30 }),
  );
  t.pass('every value');
});
