import fc from 'fast-check';
import t from 'tap';
import type { ServiceInstance } from '../../lib/model/catalog.ts';
import { compileTemplate } from '../../lib/template/compile.ts';
import type { TemplateFormat } from '../../lib/template/format.ts';
import { parameters } from '../property/parameters.ts';
import { makeInstance, makeWorld, textOf } from './world.ts';

/* A template renders a pass of a loop again only if its item or an answer that it read has changed. Nobody can see that otherwise. */

const list =
  '{{#each services as |s|}}{{#each (service s.name) as |i|}}{{i.name}} {{i.address}}:{{i.port}}\n{{/each}}{{/each}}';

function compile(text: string, { format = 'conf', limits = {} }: { format?: TemplateFormat; limits?: object } = {}) {
  return compileTemplate({ template: { file: 't.hbs', text }, format, limits });
}

/** An instance that counts how often a template reads the field `meta.x`. */
function makeCounted(name: string) {
  const counted = { reads: 0, instance: makeInstance({ name, id: name }) };
  const meta = Object.defineProperty({}, 'x', {
    enumerable: true,
    get: () => {
      counted.reads += 1;
      return name;
    },
  });
  return { ...counted, count: () => counted.reads, instance: { ...counted.instance, meta } };
}

t.test('only the pass of the service that changed is rendered again', (t) => {
  for (const { body, rendered } of [
    { body: '{{i.meta.x}}\n', rendered: 1 },
    { body: '{{#if (eq i.meta.x "a")}}{{i.meta.x}}{{/if}}\n', rendered: 1 },
    // These depend on more than their item.
    { body: '{{@index}} {{i.meta.x}}\n', rendered: 3 },
    { body: '{{@root.environment}} {{i.meta.x}}\n', rendered: 3 },
    { body: '{{env "HOME"}} {{i.meta.x}}\n', rendered: 3 },
    { body: '{{key "k"}}{{i.meta.x}}\n', rendered: 3 },
    { body: '{{name}}{{i.meta.x}}\n', rendered: 1 },
    // These are not whole lines.
    { body: '{{i.meta.x}}, ', rendered: 3 },
  ]) {
    const counted = ['a', 'b', 'c'].map(makeCounted);
    const services = new Map(['a', 'b', 'c'].map((name) => [name, []]));
    const answers = Object.fromEntries(counted.map(({ instance }) => [`service(${instance.name})`, [instance]]));
    const known = { services, 'key(k)': { key: 'k', value: 'v' }, ...answers };
    const local = { environment: 'e', env: { HOME: '/root' } };
    const template = compile(`{{#each services as |s|}}{{#each (service s.name) as |i|}}${body}{{/each}}{{/each}}`);
    const total = () => counted.reduce((sum, { count }) => sum + (count() > 0 ? 1 : 0), 0);
    t.equal(template.render(makeWorld(known, local)).kind, 'rendered', body);
    t.equal(total(), 3);
    const before = counted.map(({ count }) => count());
    const changed = makeInstance({ name: 'b', id: 'b', meta: { x: 'other' } });
    template.render(makeWorld({ ...known, 'service(b)': [changed] }, local));
    const again = counted.filter(({ count }, i) => count() > (before[i] ?? 0)).length;
    t.equal(again, rendered - 1, body);
  }
  t.end();
});

t.test('a text that becomes secret is not shown from a pass that was rendered before', (t) => {
  const known = {
    services: new Map([['a', []]]),
    'service(a)': [makeInstance({ name: 'a', id: 'a', address: 'hunter22' })],
  };
  const template = compile(`{{#if (env "S")}}{{/if}}${list}`);
  t.match(template.render(makeWorld(known)), { text: 'a hunter22:80\n', shown: 'a hunter22:80\n' });
  const result = template.render(makeWorld(known, { env: { S: 'hunter22' } }));
  t.match(result, { text: 'a hunter22:80\n', shown: 'a [secret]:80\n' });
  t.end();
});

t.test('the steps of passes that are kept count for the limit', (t) => {
  const names = Array.from({ length: 100 }, (_, n) => `s${n}`);
  const known = {
    services: new Map(names.map((name) => [name, []])),
    ...Object.fromEntries(names.map((name) => [`service(${name})`, [makeInstance({ name, id: name })]])),
  };
  // One list is rendered in 505 steps or so.
  const text = `{{#each vars.times as |x n|}}${list}{{/each}}`;
  const template = compile(text, { limits: { maxSteps: 1_500 } });
  const render = (times: number) =>
    template.render(makeWorld(known, { vars: { times: Array.from({ length: times }, (_, n) => n) } }));
  t.equal(render(1).kind, 'rendered');
  t.equal(render(2).kind, 'rendered');
  t.match(textOf(render(3)), /does not end within 1500 steps/);
  t.end();
});

const templates: readonly { readonly text: string; readonly format: TemplateFormat }[] = [
  { text: list, format: 'conf' },
  { text: list, format: 'text' },
  { text: list, format: 'redis' },
  {
    text: `backend b\n{{#each services as |s|}}{{#each (service s.name) as |i|}}  server {{i.name}} {{i.address}}:{{i.port}}\n{{/each}}{{/each}}`,
    format: 'haproxy',
  },
  // What precedes a loop may not end a line, or quote it, or be a % sign.
  { text: `{{#with (keyOrDefault "p" "")}}{{raw this}}{{/with}}${list}`, format: 'conf' },
  { text: `{{#with (keyOrDefault "p" "")}}{{this}}{{/with}}${list}end`, format: 'conf' },
  // Texts that become secret, before and after the loop.
  { text: `{{env "S"}}\n${list}`, format: 'conf' },
  { text: `{{#if (env "S")}}{{/if}}${list}`, format: 'conf' },
  { text: `${list}{{env "S"}}\n`, format: 'conf' },
  {
    text: `{{#each services as |s n|}}# {{n}}\n{{#each (service s.name) as |i|}}{{i.address}} {{i.name}}\n{{/each}}{{/each}}`,
    format: 'conf',
  },
  {
    text: `{{#each services as |s|}}{{#each (service (printf "x.%s" s.name)) as |i|}}{{i.address}}\n{{/each}}{{/each}}`,
    format: 'text',
  },
  {
    text: '{{#each services as |s|}}{{s.name}}{{#each s.tags}} {{this}}{{/each}}\n{{else}}none\n{{/each}}',
    format: 'conf',
  },
];

/** The same object for the same service and variant, as Consul's answers have it. */
const instances = new Map<string, readonly ServiceInstance[]>();
const variants: Record<string, Partial<ServiceInstance>> = {
  one: { port: 1 },
  other: { port: 2, address: '10.0.0.2' },
  refused: { address: 'a b\n' },
  secret: { address: 'hunter22' },
  tagged: { tags: ['x'], port: 3 },
};

function instancesOf(name: string, variant: string): readonly ServiceInstance[] {
  const id = `${name} ${variant}`;
  const found =
    instances.get(id) ?? (variant === 'none' ? [] : [makeInstance({ name, id: name, ...variants[variant] })]);
  instances.set(id, found);
  return found;
}

const lists = new Map<string, ReadonlyMap<string, readonly string[]>>();

function listOf(names: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const found = lists.get(String(names)) ?? new Map(names.map((name) => [name, ['t', 'u']]));
  lists.set(String(names), found);
  return found;
}

t.test('a template that has rendered other worlds renders each one as a new template does', (t) => {
  const variant = fc.constantFrom('unknown', 'denied', 'none', ...Object.keys(variants), 'one', 'one', 'one');
  const names = fc.subarray(['a', 'b', 'c', 'x@y', 'x.a'], { minLength: 0 });
  const world = fc.record({
    names: fc.oneof(fc.constant(['a', 'b', 'c']), names),
    variants: fc.record({ a: variant, b: variant, c: variant }),
    prefix: fc.constantFrom(undefined, '', '%', '"', 'word ', 'x\n'),
    secret: fc.constantFrom(undefined, undefined, 'hunter22', '10.0.0.2'),
  });
  const check = fc.property(
    fc.constantFrom(...templates),
    fc.array(world, { minLength: 2, maxLength: 6 }),
    (of, worlds) => {
      const template = compile(of.text, of);
      for (const { names, variants, prefix, secret } of worlds) {
        const entries = Object.entries(variants);
        const known = Object.fromEntries([
          ...entries.flatMap(([name, variant]) =>
            ['unknown', 'denied'].includes(variant) ? [] : [[`service(${name})`, instancesOf(name, variant)]],
          ),
          ['services', listOf(names)],
          ['service(x)@y', instancesOf('x', 'one')],
          ['service(x.a)', instancesOf('x.a', 'one')],
          ['key(p)', prefix === undefined ? undefined : { key: 'p', value: prefix, modifyIndex: 1 }],
        ]);
        const denied = entries.filter(([, variant]) => variant === 'denied').map(([name]) => `service(${name})`);
        const now = makeWorld(known, { denied, env: secret === undefined ? {} : { S: secret } });
        t.strictSame(plain(template.render(now)), plain(compile(of.text, of).render(now)), of.text);
      }
    },
  );
  fc.assert(check, parameters({ runs: 300 }));
  t.end();
});

/** An error is equal to one with the same message. */
function plain(result: object): object {
  const comparable = { ...result, savedMs: 0 };
  return 'error' in result ? { ...comparable, error: String(result.error) } : comparable;
}
