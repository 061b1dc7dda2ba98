import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { compileTemplate } from '../../lib/template/compile.ts';

function varsOf(text: string, partials: Readonly<Record<string, string>> = {}) {
  const included = Object.entries(partials).map(([name, text]) => [name, { file: `_${name}.hbs`, text }] as const);
  const { vars } = compileTemplate({ template: { file: 'a.hbs', text }, partials: new Map(included), format: 'text' });
  return vars.kind === 'any' ? 'any' : [...vars.names].sort();
}

const table: readonly (readonly [string, string, 'any' | readonly string[]])[] = [
  ['a field', '{{vars.listen}}', ['listen']],
  ['an argument', '{{default vars.a "x"}}{{#if vars.b}}{{/if}}', ['a', 'b']],
  ['a field of a field', '{{vars.ports.shard1}}', ['ports']],
  ['the root within a loop', '{{#each redisMasters}}{{@root.vars.a}}{{../vars.b}}{{/each}}', ['a', 'b']],
  ['a key with other letters', '{{vars.[a b]}}', ['a b']],
  ['nothing', 'x {{environment}}', []],
  ['a loop over all', '{{#each vars}}{{@key}}{{/each}}', 'any'],
  ['all as JSON', '{{raw (toJSON vars)}}', 'any'],
];

for (const [name, text, expected] of table) {
  t.test(`which vars a template reads: ${name}`, async (t) => {
    t.same(varsOf(text), expected);
  });
}

t.test('a block over vars, and a lookup, read what they name', async (t) => {
  const opened = varsOf('{{#with vars}}{{listen}}{{/with}}');
  t.ok(opened !== 'any' && opened.includes('listen') && !opened.includes('listne'));
  const looked = varsOf('{{lookup vars "port"}}');
  t.ok(looked !== 'any' && looked.includes('port') && !looked.includes('prot'));
});

t.test('partials count', async (t) => {
  t.same(varsOf('{{> p}}', { p: '{{vars.a}}' }), ['a']);
});

t.test('no bundled template reads all vars, and none reads a misspelt one', async (t) => {
  const folder = join(import.meta.dirname, '../../templates');
  for (const name of readdirSync(folder)) {
    const vars = varsOf(readFileSync(join(folder, name), 'utf8'));
    t.ok(vars !== 'any' && !vars.includes('listne'), name);
    // The head of a template lists its vars.
    if (name === 'twemproxy.yml.hbs') {
      for (const known of [
        'pool',
        'pools',
        'listen',
        'hash',
        'backlog',
        'preconnect',
        'server_connections',
        'weight',
      ]) {
        t.ok(vars.includes(known), known);
      }
    }
  }
});
