import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { templateFormats } from '../../lib/template/format.ts';
import { helpers } from '../../lib/template/helpers.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/reference/templates.md'), 'utf8');

t.test('the reference names every helper, every format and every bundled template', async (t) => {
  for (const name of Object.keys(helpers)) t.match(page, new RegExp(`\`#?${name}[\` ]`), name);
  for (const format of templateFormats) t.match(page, `\`${format}\``, format);
  for (const file of readdirSync(join(root, 'templates'))) t.match(page, `\`${file}\``, file);
});
