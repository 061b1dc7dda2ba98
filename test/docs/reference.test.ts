import { globSync } from 'node:fs';
import t from 'tap';
import { bundledTemplates } from '../../lib/config/bundled.ts';
import { sections } from '../../lib/config/schema.ts';
import { type ErrorCode, errorDoc, errorTable } from '../../lib/errors.ts';
import { topFolders } from '../../lib/model/environments.ts';
import { masterCheckCodes } from '../../lib/model/master-check.ts';
import { templateFormats } from '../../lib/template/format.ts';
import { helpers } from '../../lib/template/helpers.ts';
import { generatedParts, withPart } from './generated.ts';
import { keysWithoutTable } from './generated-config.ts';
import { missingMeaning } from './markdown-table.ts';
import { codesIn, projectDir, readPage, sectionOf, tableRows } from './pages.ts';

/** The words in backticks in the first cells of a page's tables. */
async function namedIn(file: string): Promise<ReadonlySet<string>> {
  const { text } = await readPage(file);
  return new Set(tableRows(text).flatMap(([first = '']) => codesIn(first)));
}

t.test(
  'the docs describe each error code under its anchor, with its message, status, exit code and retry',
  async (t) => {
    const { text } = await readPage('docs/reference/errors.md');
    const documented = tableRows(text).flatMap(
      ([first = '', meaning = '', remedy = '', httpStatus, exitCode, retried]) => {
        const [, anchor, code] = /^<a id="([a-z-]+)"><\/a>`([a-z-]+)`$/.exec(first) ?? [];
        if (code === undefined) return [];
        // The page may continue the sentence, or add another one.
        const message = errorTable[code as ErrorCode]?.message.slice(0, -1) ?? 'no such code';
        t.ok(meaning.startsWith(message) && !/^[\w-]/.test(meaning.slice(message.length)), `${code}: ${meaning}`);
        t.not(remedy, '', code);
        const doc = `docs/reference/errors.md#${anchor}`;
        const retryable = retried === 'yes';
        return [[code, { doc, httpStatus: Number(httpStatus), exitCode: Number(exitCode), retryable }] as const];
      },
    );
    const wanted = (Object.keys(errorTable) as ErrorCode[]).map((code) => {
      const { httpStatus, exitCode, retryable } = errorTable[code];
      return [code, { doc: errorDoc(code), httpStatus, exitCode, retryable }] as const;
    });
    t.strictSame(Object.fromEntries(documented), Object.fromEntries(wanted));
  },
);

t.test('the generated parts of the pages are as the code has them; else run npm run docs', async (t) => {
  for (const part of generatedParts) {
    const { text } = await readPage(part.page);
    t.equal(withPart(text, part), text, `${part.page}: ${part.name}`);
    t.throws(() => withPart('a page without it', part), { message: /has no place/ });
  }
});

t.test('somebody has described every key, option, route and error of the generated tables', async (t) => {
  for (const page of new Set(generatedParts.map((part) => part.page)))
    t.notMatch((await readPage(page)).text, missingMeaning, page);
});

t.test('each section of the config has a heading, and every key that has no heading is in a table', async (t) => {
  const { text } = await readPage('docs/reference/config.md');
  const names = Object.keys(sections);
  t.strictSame(
    names.filter((section) => !new RegExp(`^## ${section}$`, 'm').test(text)),
    [],
  );
  t.strictSame(
    keysWithoutTable().filter((path) => !names.includes(path)),
    [],
  );
});

t.test('the page on Consul has every folder of keys', async (t) => {
  const { text } = await readPage('docs/reference/consul.md');
  const named = tableRows(sectionOf(text, 'Keys') ?? '').flatMap(([first = '']) =>
    [...first.matchAll(/`P` \+ `([a-z]+)/g)].map(([, folder = '']) => folder),
  );
  t.strictSame([...new Set(named)].sort(), topFolders.toSorted());
});

t.test('the page documents exactly the existing helpers, formats and bundled templates', async (t) => {
  const { text } = await readPage('docs/reference/templates.md');
  const cells = tableRows(text).flatMap(([first = '']) => codesIn(first));
  const words = [...cells, ...codesIn(text.slice(text.indexOf('The names are'), text.indexOf('### Values')))];
  const named = new Set(words.map((code) => code.replace(/^#/, '').split(' ')[0] ?? ''));
  t.strictSame(
    Object.keys(helpers).filter((name) => !named.has(name)),
    [],
    'helpers',
  );
  t.strictSame(
    templateFormats.filter((name) => !named.has(name)),
    [],
    'formats',
  );
  const bundled = await bundledTemplates();
  t.strictSame(
    bundled.filter((name) => !named.has(name)),
    [],
    'bundled templates',
  );
  const known = new Set<string>([...Object.keys(helpers), ...templateFormats, ...bundled]);
  t.strictSame(
    [...named].filter((name) => !known.has(name)),
    [],
    'documented, but not existing',
  );
});

t.test('every output of a health check is documented', async (t) => {
  const { text } = await readPage('docs/reference/checks.md');
  const cells = new Set(tableRows(text).map((cells) => codesIn(cells[2] ?? '')[0]));
  const codes = tableRows(text).flatMap((cells) => (cells[0] === 'master' ? codesIn(cells[3] ?? '') : []));
  t.strictSame(codes.sort(), masterCheckCodes.toSorted());
  for (const file of ['lib/model/master-check.ts', 'lib/model/check-opinion.ts', 'lib/registrar/plan/health.ts']) {
    const { text: source } = await readPage(file);
    const outputs = [...source.matchAll(/(?:output: |warning\(|critical\()'([^']+)'/g)].map((match) => match[1] ?? '');
    t.ok(outputs.length > 4, file);
    t.strictSame(
      outputs.filter((output) => !cells.has(output)),
      [],
      file,
    );
  }
});

t.test('every message of the log is documented', async (t) => {
  const named = await namedIn('docs/reference/log.md');
  const files = globSync('{lib,cmd}/**/*.ts', { cwd: projectDir });
  const logged = await Promise.all(
    files.map(async (file) => {
      const { text } = await readPage(file);
      return [...text.matchAll(/\blog\.(?:debug|info|warn|error)\((?:[^;]*?,\s*)?'([^'\n]+)'\s*,?\s*\)/g)].map(
        ([, msg = '']) => msg,
      );
    }),
  );
  t.ok(logged.flat().length > 30);
  t.strictSame(
    logged.flat().filter((message) => !named.has(message)),
    [],
  );
});
