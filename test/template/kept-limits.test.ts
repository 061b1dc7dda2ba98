import t from 'tap';
import { compileTemplate } from '../../lib/template/compile.ts';
import { makeInstance, makeWorld, textOf } from './world.ts';

/* A template with passes from former renders ends, warns and counts as a new one does. */

const list = '{{#each vars.items as |s|}}{{#each (service s.name) as |i|}}{{i.name}}{{/each}}x\n{{/each}}';

function compile(text: string, limits = {}) {
  return compileTemplate({ template: { file: 't.hbs', text }, format: 'conf', limits });
}

t.test('a pass that warns as one before it does is not kept without its warning', (t) => {
  const [first, second] = [{ name: '//b' }, { name: '//b' }];
  const template = compile(list);
  const warningsWith = (items: readonly object[]) => template.render(makeWorld({}, { vars: { items } })).warnings;
  t.equal(warningsWith([first, second]).length, 1);
  t.equal(warningsWith([second]).length, 1);
  t.end();
});

t.test('a value that is refused where its pass is in another place removes the pass there', (t) => {
  const text = `{{#each vars.outer as |o|}}{{raw o}}{{#each @root.vars.items}}{{this}} y\n{{/each}}{{/each}}`;
  const template = compile(text);
  const items = ['a', '1'];
  const render = (of: typeof template, outer: readonly string[]) =>
    of.render(makeWorld({}, { vars: { outer, items } }));
  render(template, ['', '']);
  const [again, fresh] = [render(template, ['', '%']), render(compile(text), ['', '%'])];
  t.equal(textOf(again), textOf(fresh));
  t.strictSame(again.warnings, fresh.warnings);
  t.end();
});

t.test('the characters of kept passes count for the blocks around them', (t) => {
  const blocks = 12;
  const text = `${'{{#if 1}}'.repeat(blocks)}{{#each vars.items}}{{this}} ${'x'.repeat(500)}\n{{/each}}${'{{/if}}'.repeat(blocks)}`;
  const template = compile(text, { maxOutputBytes: 20_000 });
  const render = (of: typeof template, count: number) =>
    of.render(makeWorld({}, { vars: { items: Array.from({ length: count }, (_, n) => `n${n}`) } })).kind;
  t.equal(render(template, 10), 'rendered');
  t.equal(render(template, 30), render(compile(text, { maxOutputBytes: 20_000 }), 30));
  t.end();
});

t.test('a render says what the passes took that it did not render', (t) => {
  const known = { 'service(a)': [makeInstance({ name: 'a' })] };
  const world = makeWorld(known, { vars: { items: [{ name: 'a' }] } });
  const template = compile(list);
  t.equal(template.render(world).savedMs, 0);
  t.ok(template.render(world).savedMs > 0);
  t.end();
});
