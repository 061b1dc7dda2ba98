import t from 'tap';
import { compileTemplate } from '../../lib/template/compile.ts';
import { renderText, textOf } from './world.ts';

function problemsOf(text: string, partials: Record<string, string> = {}): string {
  try {
    compileTemplate({
      template: { file: 'app.hbs', text },
      format: 'text',
      partials: new Map(Object.entries(partials).map(([name, body]) => [name, { file: `${name}.hbs`, text: body }])),
    });
  } catch (error) {
    t.equal((error as { code: string }).code, 'template-invalid');
    return (error as Error).message;
  }
  return 'compiles';
}

t.test('all problems of a template are reported at once, each with its file, line and column', async (t) => {
  const text = 'a\n{{nope "x"}}\n  {{#if (nada 1)}}{{{vars.x}}}{{/if}}\n{{> gone}}{{keyOrDefault 1}}\n';
  t.equal(
    problemsOf(text),
    [
      'app.hbs:2:1: unknown helper "nope".',
      'app.hbs:3:9: unknown helper "nada".',
      'app.hbs:3:19: {{{vars.x}}} would write an unchecked value: use {{raw ...}} if you must.',
      'app.hbs:4:1: unknown partial "gone".',
      'app.hbs:4:11: "keyOrDefault" takes 2 arguments, not 1: (keyOrDefault "path@dc" "text").',
    ].join('\n'),
  );
});

const invalid: readonly (readonly [string, string, RegExp])[] = [
  ['a block that is not closed', 'a\n{{#if vars.x}}\n', /^app\.hbs:\d+:\d+: Expecting/],
  ['blocks that close each other', 'a\n {{#if x}}\n{{/each}}', /^app\.hbs:2:\d+: if doesn't match each/],
  ['an unreadable expression', 'ab\n  {{ "a }}', /^app\.hbs:2:\d+: /],
  ['a section of a field', '{{#vars}}x{{/vars}}', /app\.hbs:1:1: unknown block \{\{#vars\}\}/],
  ['a block used as a value', '{{if vars.x}}', /"if" is a block/],
  ['a value used as a block', '{{#key "x"}}{{/key}}', /"key" is not a block/],
  ['an unknown option', '{{key "x" y=1}}', /"key" has no option "y"/],
  ['a decorator', '{{#*inline "x"}}{{/inline}}', /DecoratorBlock is not supported/],
  ['Handlebars internals', '{{helperMissing "x"}}{{log "x"}}', /unknown helper "helperMissing"/],
  ['a block parameter named as a helper', '{{#each vars.x as |key|}}{{key}}{{/each}}', /"key" is the name of a helper/],
  ['NUL', 'a\n\u0000', /app\.hbs:2:1: a template cannot hold NUL/],
];
for (const [name, text, expected] of invalid) {
  t.test(`${name} is refused`, async (t) => {
    t.match(problemsOf(text), expected);
  });
}

t.test('a partial is checked, under its own name, and may not include itself', async (t) => {
  t.equal(problemsOf('{{> a}}', { a: '\n{{nope 1}}' }), 'a.hbs:2:1: unknown helper "nope".');
  t.match(problemsOf('{{> a}}', { a: '{{> b}}', b: '{{> a}}' }), /partial "a" includes itself: a > b > a/);
});

t.test('partials render with their parameters, and errors in them name them', async (t) => {
  const partials = { line: '{{name}}={{default port 1}}\n' };
  const vars = { list: [{ name: 'a', port: 5 }, { name: 'b' }] };
  t.equal(textOf(renderText({ text: '{{#each vars.list}}{{> line}}{{/each}}', vars, partials })), 'a=5\nb=1\n');
  const missing = textOf(renderText({ text: '{{> line name="x"}}', partials: { line: 'x\n {{gone}}' } }));
  t.equal(missing, 'template-failed: line:2:2: {{gone}}: there is no value to print: it is missing.');
});

t.test('a missing value may be tested, but not printed or looped over', async (t) => {
  t.equal(textOf(renderText({ text: '{{#if vars.x}}a{{else}}b{{/if}}{{default vars.x 7}}' })), 'b7');
  t.match(
    textOf(renderText({ text: 'a\n{{vars.x}}' })),
    /^template-failed: t\.hbs:2:1: \{\{vars\.x\}\}: there is no value/,
  );
  t.match(textOf(renderText({ text: '{{#each vars.x}}{{/each}}' })), /t\.hbs:1:1: .*#each needs a list or a map/);
  t.match(textOf(renderText({ text: '{{vars}}' })), /it is an object\. Use \{\{#each\}\}/);
});

t.test('a template can read only its own values', async (t) => {
  for (const path of ['constructor', 'vars.constructor', 'vars.__proto__', 'vars.toString', '__defineGetter__']) {
    t.match(textOf(renderText({ text: `{{${path}}}`, vars: {} })), /there is no value to print: it is missing/, path);
  }
  t.match(textOf(renderText({ text: '{{lookup vars "constructor"}}' })), /missing/);
});

t.test('loops have variables, parameters and an else', async (t) => {
  const vars = { list: ['a', 'b'], map: { k: 1, l: 2 } };
  t.equal(
    textOf(renderText({ text: '{{#each vars.list}}{{@index}}{{this}}{{#unless @last}},{{/unless}}{{/each}}', vars })),
    '0a,1b',
  );
  t.equal(textOf(renderText({ text: '{{#each vars.map as |v k|}}{{k}}={{v}};{{/each}}', vars })), 'k=1;l=2;');
  t.equal(textOf(renderText({ text: '{{#each vars.none}}x{{else}}none{{/each}}', vars: { none: [] } })), 'none');
  t.equal(textOf(renderText({ text: '{{#with vars.map as |m|}}{{m.k}}{{l}}{{/with}}', vars })), '12');
});

t.test('a template that grows without end is stopped, and its place is named', async (t) => {
  const vars = { list: Array.from({ length: 100 }, (_, i) => i) };
  const text =
    '{{#each vars.list}}{{#each @root.vars.list}}{{#each @root.vars.list}}{{this}}{{/each}}{{/each}}{{/each}}';
  t.match(
    textOf(renderText({ text, vars, limits: { maxSteps: 5_000 } })),
    /t\.hbs:1:\d+: .*does not end within 5000 steps/,
  );
});
