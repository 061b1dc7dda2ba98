import t from 'tap';
import { compileTemplate } from '../../lib/template/compile.ts';
import { makeWorld, textOf } from './world.ts';

function outcomeOf(text: string, denied: readonly string[], partial = ''): string {
  const partials = new Map([['p', { file: '_p.hbs', text: partial }]]);
  try {
    const template = compileTemplate({ template: { file: 't.hbs', text }, partials, format: 'text', denied });
    return textOf(template.render(makeWorld({}, { vars: { list: ['a'] }, env: { X: 'x' } })));
  } catch (thrown) {
    return (thrown as Error).message;
  }
}

t.test('a template calls no helper of its functionDenylist, wherever the call is', async (t) => {
  const forbidden = (line: string, name: string) => `${line}: functionDenylist forbids "${name}".`;
  const cases: Record<string, readonly [string, readonly string[], string?]> = {
    x: ['{{env "X"}}', []],
    [forbidden('t.hbs:1:1', 'env')]: ['{{env "X"}}', ['env']],
    [forbidden('t.hbs:1:11', 'env')]: ['{{toUpper (env "X")}}', ['env']],
    [forbidden('t.hbs:1:7', 'datacenters')]: ['{{#if datacenters}}{{/if}}', ['datacenters']],
    [forbidden('t.hbs:1:9', 'services')]: ['{{#each services}}{{/each}}', ['services']],
    [forbidden('t.hbs:1:1', 'each')]: ['{{#each vars.list}}{{/each}}', ['each']],
    [forbidden('_p.hbs:1:6', 'file')]: ['{{> p}}', ['env', 'file'], 'text {{file "/etc/passwd"}}'],
    a: ['{{#each vars.list as |item|}}{{item}}{{/each}}', ['env', 'secret', 'plugin']],
    't.hbs:1:1: functionDenylist names "evn", and there is no such helper.': ['a', ['evn']],
  };
  for (const [expected, given] of Object.entries(cases)) t.equal(outcomeOf(...given), expected, given[0]);
});
