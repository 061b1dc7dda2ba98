import t from 'tap';
import { BoundedTemplate } from '../../lib/template/bounded/template.ts';
import type { RenderLimits } from '../../lib/template/budget.ts';
import { compileTemplate } from '../../lib/template/compile.ts';
import type { TemplateFormat } from '../../lib/template/format.ts';
import { type HelperCall, noBlock } from '../../lib/template/helper.ts';
import { helpers, makers } from '../../lib/template/helpers.ts';
import { KeptPasses } from '../../lib/template/kept-passes.ts';
import { separableHelpers } from '../../lib/template/separable.ts';
import { endWork } from './ended-work.ts';
import { makeInstance, makeWorld } from './world.ts';

/*
 * Which passes of a loop are rendered again, and what bounds those that are kept. That nobody can see the difference otherwise is the
 * property of test/property/kept-passes.test.ts.
 */

const list =
  '{{#each services as |s|}}{{#each (service s.name) as |i|}}{{i.name}} {{i.address}}:{{i.port}}\n{{/each}}{{/each}}';
const names = ['a', 'b', 'c'];

interface Settings {
  readonly format?: TemplateFormat;
  readonly limits?: Partial<RenderLimits>;
}

/** A template that has rendered a few times, and renders with what it kept. */
function warm(text: string, known: Record<string, unknown>, { format = 'conf', limits = {} }: Settings = {}) {
  // On a busy machine, too.
  const patient = { maxMs: 100_000, ...limits };
  const template = compileTemplate({ template: { file: 't.hbs', text }, format, limits: patient });
  const kept = new KeptPasses();
  const render = (given: Record<string, unknown>, vars = {}) =>
    template.render(makeWorld(given, { environment: 'e', vars }), kept);
  for (let i = 0; i < 4; i += 1) render(known);
  return {
    kept,
    render,
    fresh: (given: Record<string, unknown>, vars = {}) => template.render(makeWorld(given, { environment: 'e', vars })),
  };
}

/** An instance whose field `meta.x` counts how often a template reads it. */
function makeCounted(name: string) {
  const counted = { reads: 0 };
  const meta = Object.defineProperty({}, 'x', {
    enumerable: true,
    get: () => {
      counted.reads += 1;
      return name;
    },
  });
  return { counted, instance: makeInstance({ name, id: name, meta }) };
}

t.test('only the pass of the service that changed is rendered again', (t) => {
  for (const { body, rendered, format = 'conf' } of [
    { body: '{{i.meta.x}}\n', rendered: 1 },
    { body: '{{i.meta.x}}\n', rendered: 1, format: 'haproxy' },
    { body: '{{i.meta.x}}\n', rendered: 1, format: 'redis' },
    { body: '{{i.meta.x}}, ', rendered: 1, format: 'text' },
    { body: '{{#if (eq i.meta.x "a")}}{{i.meta.x}}{{/if}}\n', rendered: 1 },
    { body: '{{name}}{{toUpper i.meta.x}} {{keyOrDefault "k" "d"}}\n', rendered: 1 },
    // These depend on more than their item and answers, or do more than to print.
    { body: '{{@index}} {{i.meta.x}}\n', rendered: 3 },
    { body: '{{@root.environment}} {{i.meta.x}}\n', rendered: 3 },
    { body: '{{scratch.Set "a" i.meta.x}}\n', rendered: 3 },
    { body: '{{timestamp}}{{i.meta.x}}\n', rendered: 3 },
    // These are not whole lines, or in formats where a line depends on those before it.
    { body: '{{i.meta.x}}, ', rendered: 3 },
    { body: '{{i.meta.x}}: 1\n', rendered: 3, format: 'yaml' },
  ] as const) {
    const all = names.map(makeCounted);
    const services = new Map(names.map((name) => [name, []]));
    const answers = Object.fromEntries(all.map(({ instance }) => [`service(${instance.name})`, [instance]]));
    const known = { services, 'key(k)': { key: 'k', value: 'v' }, ...answers };
    const text = `{{#each services as |s|}}{{#each (service s.name) as |i|}}${body}{{/each}}{{/each}}`;
    const { render } = warm(text, known, { format });
    const before = all.map(({ counted }) => counted.reads);
    const changed = makeInstance({ name: 'b', id: 'b', meta: { x: 'other' } });
    // One more service, and b has changed.
    const more = { ...known, services: new Map([...services, ['d', []]]), 'service(b)': [changed], 'service(d)': [] };
    t.equal(render(more).kind, 'rendered', body);
    const again = all.filter(({ counted }, i) => counted.reads > (before[i] ?? 0)).length;
    t.equal(again, rendered - 1, `${format}: ${body}`);
  }
  t.end();
});

t.test('a helper of a kept pass knows nothing but its arguments', (t) => {
  for (const name of separableHelpers) {
    t.ok(Object.hasOwn(helpers, name), name);
    const definition = Object.hasOwn(makers, name) ? makers[name] : undefined;
    if (definition === undefined) continue;
    for (const args of argumentsOf(definition.takes)) {
      let reads = 0;
      const call = {
        args,
        options: {},
        block: noBlock,
        get scope() {
          reads += 1;
          return undefined;
        },
      } as unknown as HelperCall;
      try {
        definition.run(call);
      } catch {
        // Most arguments are of a wrong kind.
      }
      t.equal(reads, 0, name);
    }
  }
  t.end();
});

function argumentsOf([least]: readonly [number, number]): readonly (readonly unknown[])[] {
  const values: readonly unknown[] = ['', 'a', '1', 2, ['a'], [], { a: 'b' }, undefined];
  const lists = (count: number): readonly (readonly unknown[])[] =>
    count === 0 ? [[]] : lists(count - 1).flatMap((some) => values.map((value) => [...some, value]));
  return lists(least);
}

function knowMany(count: number): Record<string, unknown> {
  const all = Array.from({ length: count }, (_, n) => `s${n}`);
  const answers = all.map((name) => [`service(${name})`, [makeInstance({ name, id: name })]] as const);
  return { services: new Map(all.map((name) => [name, []])), ...Object.fromEntries(answers) };
}

t.test('what kept passes took counts for the limits', (t) => {
  // Twelve blocks around a text count it twelve times.
  const blocks = (text: string) => `${'{{#if 1}}'.repeat(12)}${text}${'{{/if}}'.repeat(12)}`;
  const repeated = (text: string) => `{{#each @root.vars.times as |x n|}}${text}{{/each}}`;
  for (const { text, limits, last } of [
    { text: repeated(list), limits: { maxSteps: 2_500 }, last: /does not end within 2500 steps/ },
    { text: repeated(list), limits: { maxOutputBytes: 5_000 }, last: /longer than 5000|larger than 5000/ },
    { text: blocks(repeated(list)), limits: { maxOutputBytes: 20_000 }, last: /larger than 20000/ },
  ]) {
    const known = knowMany(100);
    const { render, fresh } = warm(text, known, { limits });
    for (let i = 0; i < 4; i += 1) t.equal(render(known, { times: [1] }).kind, 'rendered');
    for (const times of [[1], [1, 2], [1, 2, 3], [1, 2, 3, 4]]) {
      const [result, expected] = [render(known, { times }), fresh(known, { times })];
      t.equal(result.kind, expected.kind, `${text} ${times}`);
      if (result.kind === 'failed' && expected.kind === 'failed') t.equal(result.error.message, expected.error.message);
    }
    t.match(fresh(known, { times: [1, 2, 3, 4] }), { kind: 'failed', error: { message: last } });
  }
  t.end();
});

t.test('a render says what the passes would have taken that it did not render', (t) => {
  const known = knowMany(3);
  const { render, fresh } = warm(list, known);
  t.equal(fresh(known).savedMs, 0);
  t.ok(render(known).savedMs > 0);
  t.end();
});

const countOf = ({ kept }: KeptPasses) => [...kept.values()].reduce((sum, { size }) => sum + size, 0);

t.test('passes are kept of the last render alone, and not of too many', (t) => {
  const { kept, render } = warm(list, knowMany(100));
  t.equal(countOf(kept), 100);
  render(knowMany(2));
  t.equal(countOf(kept), 2);
  const most = 32_768;
  const lines = '{{#each (split "," vars.items)}}{{this}}\n{{/each}}';
  const many = (count: number) => ({ items: Array.from({ length: count }, (_, n) => n).join(',') });
  const large = warm(lines, {});
  for (let i = 0; i < 4; i += 1) large.render({}, many(most + 2));
  t.equal(countOf(large.kept), most);
  t.equal(large.render({}, { items: '"' }).kind, 'failed');
  t.equal(countOf(large.kept), 0);
  t.end();
});

t.test('passes are not kept of a loop whose items are new in each render', (t) => {
  const pairs = names.map((key) => ({ key: `f/${key}`, value: 'v', modifyIndex: 1 }));
  const known = { ...knowMany(3), 'key-tree(f)': pairs };
  const { kept, render } = warm(`${list}{{#each (tree "f")}}{{key}}\n{{/each}}`, known);
  t.equal(countOf(kept), 6);
  for (let i = 0; i < 8; i += 1) render(known);
  t.equal(countOf(kept), 3);
  t.end();
});

t.test('a template takes kept passes in the event loop and in a process', async (t) => {
  for (const place of ['loop', 'process']) {
    if (place === 'process') endWork(t, () => true);
    const template = await BoundedTemplate.compile({ template: { file: 't.hbs', text: list }, format: 'conf' });
    t.teardown(() => template.close());
    const known = knowMany(3);
    let recalled = 0;
    for (let port = 1; port < 9; port += 1) {
      const now = { ...known, 'service(s1)': [makeInstance({ name: 's1', id: 's1', port })] };
      const result = await template.render(makeWorld(now));
      t.match(result, { text: `s0 10.0.0.9:80\ns1 10.0.0.9:${port}\ns2 10.0.0.9:80\n` });
      if (result.savedMs > 0) recalled += 1;
    }
    t.ok(recalled > 0, place);
  }
});
