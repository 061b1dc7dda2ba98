import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { compileTemplate } from '../../lib/template/compile.ts';
import { templateFormats } from '../../lib/template/format.ts';
import { helpers } from '../../lib/template/helpers.ts';
import { codesIn, sectionOf, tableRows } from './pages.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/reference/templates.md'), 'utf8');

t.test('the reference names every helper, every format and every bundled template', async (t) => {
  for (const name of Object.keys(helpers)) t.match(page, new RegExp(`\`#?${name}[\` ]`), name);
  for (const format of templateFormats) t.match(page, `\`${format}\``, format);
  for (const file of readdirSync(join(root, 'templates'))) t.match(page, `\`${file}\``, file);
});

t.test('every example of a helper has arguments and options that the helper takes', async (t) => {
  const cells = tableRows(sectionOf(page, 'Helpers') ?? '').flatMap(([first = '', , , last = '']) => [
    ...codesIn(first).filter((code) => code.includes(' ')),
    ...codesIn(last).map((code) => code.replace(/^\((.*)\)$/, '$1')),
  ]);
  const calls = cells.filter((code) => Object.hasOwn(helpers, code.split(' ')[0] ?? ''));
  t.ok(calls.length > 100, `${calls.length} calls`);
  for (const call of calls) {
    const text = `{{#if (${call})}}{{/if}}`;
    t.doesNotThrow(() => compileTemplate({ template: { file: 'example.hbs', text }, format: 'text' }), call);
  }
});
