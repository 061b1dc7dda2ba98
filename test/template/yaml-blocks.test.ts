import t from 'tap';
import { parse } from 'yaml';
import { renderText, textOf } from './world.ts';

const x = { z: ['a', 'b: c'], a: { no: 'yes' }, text: 'one\n- two\n' };

function render(text: string, vars: Record<string, unknown> = { x }): string {
  return textOf(renderText({ text, format: 'yaml', vars }));
}

t.test('toYAML is a block where it begins a line, and on one line elsewhere', async (t) => {
  const templates = ['{{toYAML vars.x}}\n', 'k:\n  {{toYAML vars.x}}\n', 'k:\n{{indent 2 (toYAML vars.x)}}\nl: 1\n'];
  const parsed = templates.map((text) => parse(render(text)));
  t.same(parsed, [x, { k: x }, { k: x, l: 1 }]);
  t.match(render('k:\n{{indent 2 (toYAML vars.x)}}\n'), /^k:\n {2}a:\n {4}"no": "yes"\n {2}text: \|\n {4}one\n/);
  t.same(parse(render('k: {{toYAML vars.x}}\nl: [{{toYAML vars.x}}, 1]\n')), { k: x, l: [x, 1] });
  t.same(parse(render('k:\n{{toYAML vars.x.z}}\nl: 1\n')), { k: x.z, l: 1 }, 'a list at the indentation of its field');
  t.same(parse(render('- 1\n- {{toYAML vars.x}}\n')), [1, x]);
});

t.test('a block that would join what is around it is refused', async (t) => {
  for (const text of [
    'k:\n{{toYAML vars.x}}\n',
    'admin: false\n{{toYAML vars.x}}\n',
    '- 1\n{{toYAML vars.x.z}}\n',
    'k:\n  m: 1\n{{indent 2 (toYAML vars.x)}}\n',
  ]) {
    t.match(render(text, { x: { ...x, admin: true } }), /^value-refused: .*must be indented further/, text);
  }
});

t.test('texts of the catalog stay texts in a block', async (t) => {
  const odd = [
    'a: b',
    '- x',
    '#c',
    '"',
    "'",
    '\u0085',
    '\u2028',
    'x\ny: 1',
    '\t',
    '*a',
    '!t',
    '12:30',
    'null',
    '',
    ' ',
  ];
  const list = Object.fromEntries(odd.map((text) => [text || 'empty', text]));
  t.same(parse(render('k:\n  {{toYAML vars.list}}\n', { list })), { k: list });
});
