// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a text that a shell would replace
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadConfig } from '../../lib/config/load.ts';
import type { Problem } from '../../lib/config/problem.ts';
import { SwitchmasterError } from '../../lib/errors.ts';
import { addHead } from '../../lib/renderer/head.ts';
import { checkSource, compileSource, readTemplate } from '../../lib/renderer/observe/source.ts';

function load(t: Test, template: string) {
  const folder = t.testdir({ 'a.hbs': 'x', '_part.hbs': 'part', 'c.yml': `templates:\n  - ${template}\n` });
  const loaded = loadConfig({ paths: [join(folder, 'c.yml')], environment: {}, compile: checkSource });
  return { folder, loaded };
}

async function problemsOf(t: Test, template: string): Promise<readonly string[]> {
  const { folder, loaded } = load(t, template);
  const error = await loaded.then(() => undefined, SwitchmasterError.from);
  const { problems = [] } = (error?.details ?? {}) as { problems?: readonly Problem[] };
  return problems.map(({ place, path, message, hint }) =>
    `${place?.line}:${place?.column} ${path}: ${message} (${hint})`.replaceAll(`${folder}/`, ''),
  );
}

t.test('a template may be in the config, with its partials beside it', async (t) => {
  const { folder, loaded } = load(
    t,
    "{ contents: '{{> part}} ${HOME} {{vars.a}}', destination: out.cfg, vars: { a: 1 } }",
  );
  const [spec] = (await loaded).templates;
  if (spec === undefined) throw new Error('there is no template');
  t.match(spec, { name: 'out.cfg', source: join(folder, 'c.yml'), contents: '{{> part}} ${HOME} {{vars.a}}' });
  const read = await readTemplate(spec);
  t.match(
    read,
    { template: { file: 'contents of out.cfg' }, format: 'haproxy' },
    'as its destination says, not the config',
  );
  t.strictSame([...(read.partials?.keys() ?? [])], ['part']);
  const compiled = await compileSource(spec);
  t.match(compiled.vars, { kind: 'named' });
  compiled.close();
  t.equal(
    addHead('x\n', spec),
    `# Written by switchmaster from ${join(folder, 'c.yml')}. Changes here are replaced.\nx\n`,
  );
});

t.test('a problem of such a template is reported at its place', async (t) => {
  const cases: readonly (readonly [string, string | RegExp])[] = [
    [
      '{ destination: out }',
      '2:5 templates[0].source: is missing: a string (name a bundled template or a file, or write the template as contents)',
    ],
    ['{ contents: "", destination: out }', '2:17 templates[0].contents: must not be empty (undefined)'],
    [
      '{ contents: x, source: a.hbs, destination: out }',
      '2:17 templates[0].contents: cannot be combined with source (leave one of them out)',
    ],
    ['{ contents: [x], destination: out }', '2:17 templates[0].contents: must be a string, not a list (undefined)'],
    [
      '{ contents: "{{secret 1}}", destination: out }',
      /^2:17 templates\[0\]\.contents: contents of out:1:1: unknown helper "secret"/,
    ],
    ['{ contents: "{{#if}}", destination: out }', /^2:17 templates\[0\]\.contents: contents of out:1:/],
    [
      '{ contents: "{{env 1}}", destination: out, functionDenylist: [env] }',
      /^2:17 templates\[0\]\.contents: contents of out:1:1: /,
    ],
    [
      '{ contents: x, destination: c.yml }',
      '2:33 templates[0].destination: c.yml is this config file, which it would overwrite (give the template a file of its own)',
    ],
    [
      '{ contents: x, destination: _part.hbs }',
      '2:33 templates[0].destination: _part.hbs is a partial of this config file (give the template a file of its own)',
    ],
    ['{ content: x, destination: out }', '2:7 templates[0].content: unknown key (did you mean contents?)'],
  ];
  for (const [template, expected] of cases) {
    const problems = await problemsOf(t, template);
    if (typeof expected === 'string') t.ok(problems.includes(expected), `${template}: ${problems.join('\n')}`);
    else t.match(problems[0], expected, template);
  }
});

t.test('delimiters that are braces are no delimiters', async (t) => {
  const braces = "destination: out, delimiters: { left: '{{', right: '}}' }";
  for (const template of [`contents: '{{vars.a}}', vars: { a: 1 }`, 'source: haproxy.cfg.hbs']) {
    const [spec] = (await load(t, `{ ${template}, ${braces} }`).loaded).templates;
    t.equal(spec?.delimiters, undefined, template);
  }
  const problems = await problemsOf(t, `{ contents: '{{{vars.a}}}', ${braces} }`);
  t.match(problems.join('\n'), /\{\{\{vars\.a\}\}\} would write an unchecked value/);
});

t.test('a template may have delimiters of its own', async (t) => {
  const given =
    "{ contents: '{{ a }} [[vars.a]]', destination: out, vars: { a: 1 }, delimiters: { left: '[[', right: ']]' } }";
  const [spec] = (await load(t, given).loaded).templates;
  if (spec === undefined) throw new Error('there is no template');
  t.strictSame(spec.delimiters, { left: '[[', right: ']]' });
  t.match(await readTemplate(spec), { delimiters: { left: '[[', right: ']]' } });
  const cases: readonly (readonly [string, RegExp])[] = [
    ["delimiters: { left: '[[' }", /templates\[0\]\.delimiters\.right: is missing/],
    ["delimiters: { left: '[[[', right: ']]' }", /delimiters\.left: must be two characters of/],
    ["delimiters: { left: '((', right: '))' }", /delimiters\.left: must be two characters of/],
    ["delimiters: '[['", /delimiters: must be a map/],
    ["delimiters: { left: '[[', right: ']]' }, contents: '[[#if}}'", /contents: contents of out:1:/],
  ];
  for (const [settings, expected] of cases) {
    const contents = settings.includes('contents') ? '' : ', contents: x';
    const problems = await problemsOf(t, `{ destination: out, ${settings}${contents} }`);
    t.match(problems.join('\n'), expected, settings);
  }
  const bundled = await problemsOf(
    t,
    "{ source: haproxy.cfg.hbs, destination: out, delimiters: { left: '[[', right: ']]' } }",
  );
  t.match(bundled.join('\n'), /delimiters: has no effect: the bundled haproxy\.cfg\.hbs has braces/);
});
