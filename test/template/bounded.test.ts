import { monitorEventLoopDelay } from 'node:perf_hooks';
import t from 'tap';
import { BoundedTemplate } from '../../lib/template/bounded/template.ts';
import type { RenderLimits } from '../../lib/template/budget.ts';
import { compileTemplate } from '../../lib/template/compile.ts';
import { endWork } from './ended-work.ts';
import { makeSkip } from './skipped-time.ts';
import { makeInstance, makeWorld, renderText, textOf } from './world.ts';

/* No template, however wrong, holds up the event loop: V8 ends it, and what needs more time gets a process of its own. */

const compile = (text: string, partials: Record<string, string> = {}, limits: Partial<RenderLimits> = { maxMs: 300 }) =>
  BoundedTemplate.compile({
    limits,
    template: { file: 't.hbs', text },
    partials: new Map(Object.entries(partials).map(([name, one]) => [name, { file: `_${name}.hbs`, text: one }])),
    format: 'text',
  });

async function outcomeOf(text: string, of: { partials: Record<string, string>; maxMs: number }): Promise<string> {
  try {
    const template = await compile(text, of.partials, { maxMs: of.maxMs });
    try {
      return textOf(await template.render(makeWorld({}, { vars })));
    } finally {
      template.close();
    }
  } catch (thrown) {
    return (thrown as Error).message;
  }
}

/** The longest pause of the event loop, in milliseconds. */
async function pauseDuring(work: () => Promise<unknown>): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await work();
  await new Promise((resolve) => setTimeout(resolve, 5));
  delay.disable();
  return delay.max / 1e6;
}

t.setTimeout(240_000);
const list = Array.from({ length: 450 }, (_, i) => i);
const nest = (body: string) => `${'{{#each @root.vars.list}}'.repeat(3)}${body}${'{{/each}}'.repeat(3)}`;
const twice = Object.fromEntries(
  Array.from({ length: 40 }, (_, i) => [`p${i}`, i === 39 ? 'x' : `{{> p${i + 1}}}{{> p${i + 1}}}`]),
);
const double = '{{scratch.Set "a" (print (scratch.Get "a") (scratch.Get "a"))}}';
const vars = { list, kb: 'a'.repeat(1_000) };
const place = String.raw`t\.hbs:\d+:\d+: `;

/** So short that the limit of steps is far, on a fast machine too. */
const shortMs = 50;

interface Bomb {
  readonly text: string;
  /** Of the error. */
  readonly expected: RegExp;
  readonly partials?: Record<string, string>;
  readonly maxMs: number;
}

const bombs: Record<string, Bomb> = {
  'three nested loops': {
    text: nest(''),
    expected: new RegExp(`${place}.*does not end within ${shortMs} ms`),
    maxMs: shortMs,
  },
  'partials that call others twice': {
    text: '{{> p0}}',
    expected: new RegExp(`does not end within ${shortMs} ms`),
    partials: twice,
    maxMs: shortMs,
  },
  'a text that doubles': {
    text: `{{scratch.Set "a" "aaaaaaaa"}}${double.repeat(40)}`,
    expected: new RegExp(`${place}.*longer than 33554432 characters`),
    maxMs: 300,
  },
  'a list that grows': {
    text: '{{#each (loop 9999)}}{{scratch.MapSet "m" (print this) (join @root.vars.kb (loop 900))}}{{/each}}',
    expected: /needs more/,
    maxMs: 10_000,
  },
};

t.test('a wrong template fails in a process of its own, and the event loop continues', async (t) => {
  for (const [what, { text, expected, partials = {}, maxMs }] of Object.entries(bombs)) {
    let outcome = '';
    const pauseMs = await pauseDuring(async () => {
      outcome = await outcomeOf(text, { partials, maxMs });
    });
    t.match(outcome, expected, what);
    t.ok(pauseMs < 2_000, `${what}: ${pauseMs} ms`);
  }
});

t.test('joining a list is refused before it takes much memory', async (t) => {
  const long = '(join vars.kb (loop 900))';
  for (const text of [
    `{{join ${long} (loop 1000)}}`,
    `{{replaceAll "" ${long} ${long}}}`,
    `{{indent 1000 (join "\n" (loop 99999))}}`,
  ]) {
    t.match(textOf(renderText({ text, vars })), /the result is longer than 33554432 characters/, text);
  }
});

t.test('a render in a process gives what it gives in the event loop', async (t) => {
  const known = {
    services: new Map([
      ['web', []],
      ['db', []],
    ]),
    'service(web)': [makeInstance()],
    'service(db)': [makeInstance({ name: 'db', id: 'db-1', port: 5432 })],
    'key(a)': { key: 'a', value: 'file-a', modifyIndex: 1 },
  };
  const body =
    '{{#each services}}{{#each (service name)}}{{name}}:{{port}} {{/each}}{{/each}}{{file (key "a")}} {{vars.x}}';
  const slow = `${body}{{#each (loop 250000)}}{{/each}}`;
  const given = { vars: { x: 18_446_744_073_709_551_615n }, files: { 'file-a': 'secret\n' } };
  const template = await compile(slow, {}, {});
  t.teardown(() => template.close());
  for (const port of [80, 81]) {
    const world = makeWorld({ ...known, 'service(web)': [makeInstance({ port })] }, given);
    const { warnings: _, ...expected } = compileTemplate({
      template: { file: 't.hbs', text: body },
      format: 'text',
    }).render(world);
    t.match(await template.render(world), expected);
  }
  const changed = await template.render(makeWorld(known, { ...given, files: { 'file-a': 'another secret' } }));
  t.match(changed, { text: /another secret/, secrets: ['another secret'] });
  const unread = await template.render(makeWorld(known, { ...given, files: {} }));
  t.match(unread, { kind: 'pending', missingFiles: ['file-a'] });
  const pending = await template.render(makeWorld({ services: new Map([['web', []]]) }, given));
  t.match(pending, {
    kind: 'pending',
    missing: [
      { kind: 'service', service: 'web' },
      { kind: 'key', key: 'a' },
    ],
  });
  const failed = await template.render(makeWorld(known, { ...given, vars: {} }));
  t.match(textOf(failed), /template-failed: t\.hbs:1:\d+: \{\{vars\.x\}\}: there is no value to print/);
  t.notMatch(JSON.stringify(failed), 'secret\n');
});

t.test('a template that was in time gets a second attempt in the event loop', async (t) => {
  // The templates of other tests took too long.
  makeSkip(t)(2_001);
  /** How many attempts from now on need more than the limit. */
  let late = 0;
  endWork(t, () => {
    late = Math.max(-1, late - 1);
    return late >= 0;
  });
  // The other process does not have it.
  const world = { ...makeWorld({}), env: () => 'known here' };
  const template = await compile('{{env "GIVEN"}}');
  t.teardown(() => template.close());
  const render = async () => textOf(await template.render(world));
  for (const [attempts, expected] of [
    [0, 'here'],
    [1, 'here'],
    [0, 'here'],
    [2, 'there'],
  ] as const) {
    late = attempts;
    t.equal((await render()).includes('known here'), expected === 'here', `${attempts} are late`);
  }
});

t.test('closing ends a render that is under way', async (t) => {
  const template = await compile(nest(''), {}, { maxMs: 60_000 });
  const rendering = template.render(makeWorld({}, { vars }));
  setTimeout(() => template.close(), 100);
  t.match(textOf(await rendering), /template-failed: t\.hbs: the (render process ended|template is not used)/);
  t.match(textOf(await template.render(makeWorld({}, { vars }))), /not used any more/);
});

t.test('a template that is too large to compile in the event loop compiles and renders', async (t) => {
  const template = await compile('{{vars.x}}\n'.repeat(5_000), {}, {});
  t.teardown(() => template.close());
  t.equal(textOf(await template.render(makeWorld({}, { vars: { x: 'a' } }))), 'a\n'.repeat(5_000));
  t.same(template.vars, { kind: 'named', names: new Set(['x']) });
  await t.rejects(compile('{{nothing x}}\n'.repeat(5_000)), { code: 'template-invalid' });
});

t.test('what the daemon does for a lookup is never ended halfway', async (t) => {
  const template = await compile('{{key "a"}} {{key "b"}}');
  t.teardown(() => template.close());
  const world = makeWorld({});
  const calls = { begun: 0, ended: 0 };
  const lookUp = () => {
    calls.begun += 1;
    const untilMs = performance.now() + 400;
    while (performance.now() < untilMs);
    calls.ended += 1;
    return { kind: 'known', value: undefined } as never;
  };
  await template.render({ ...world, lookUp });
  t.equal(calls.begun, calls.ended);
  t.ok(calls.begun >= 2);
});
