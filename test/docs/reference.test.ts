import { globSync } from 'node:fs';
import t from 'tap';
import { z } from 'zod';
import { bundledTemplates } from '../../lib/config/bundled.ts';
import { configSchema } from '../../lib/config/schema.ts';
import { type ErrorCode, errorDoc, errorTable } from '../../lib/errors.ts';
import { EventStreams } from '../../lib/http/events.ts';
import { makeServer } from '../../lib/http/server.ts';
import { parseDuration } from '../../lib/model/duration.ts';
import { masterCheckCodes } from '../../lib/model/master-check.ts';
import { templateFormats } from '../../lib/template/format.ts';
import { helpers } from '../../lib/template/helpers.ts';
import { exampleViews } from '../http/views.ts';
import { generatedParts, withPart } from './generated.ts';
import { codesIn, projectDir, readPage, tableRows } from './pages.ts';

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

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly default?: unknown;
}

interface ConfigKey {
  readonly path: string;
  readonly default: unknown;
}

/** Every key that a config may have: `sentinel.resync`, `templates[].check.timeout`. */
function keysOf(schema: JsonSchema, at = ''): readonly ConfigKey[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => {
    const path = at === '' ? name : `${at}.${name}`;
    return [{ path, default: inner.default }, ...keysOf(inner, path)];
  });
  const items = schema.items === undefined ? [] : keysOf(schema.items, `${at}[]`);
  return [...own, ...items, ...(schema.anyOf ?? []).flatMap((branch) => keysOf(branch, at))];
}

/** The page describes client TLS once for all places, and a single probe like a list of probes. */
function documentedName(path: string): string {
  return path.replace(/^(?!api\.|sentinelEndpoint\.).*\.tls\.(\w+)$/, 'tls.$1').replace('.redis[].', '.redis.');
}

const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
const keys = keysOf(schema);

t.test('the page documents exactly the existing config keys', async (t) => {
  const { text } = await readPage('docs/reference/config.md');
  const named = tableRows(text).flatMap(([first = '']) => codesIn(first));
  const sections = Object.keys(schema.properties ?? {});
  t.strictSame(
    sections.filter((section) => !new RegExp(`^## ${section}$`, 'm').test(text)),
    [],
    'a heading for each section',
  );
  const wanted = new Set(keys.map(({ path }) => documentedName(path)).filter((path) => !sections.includes(path)));
  t.strictSame([...wanted].filter((path) => !named.includes(path)).sort(), [], 'not documented');
  const known = new Set([...wanted, ...sections]);
  t.strictSame(named.filter((path) => !known.has(path)).sort(), [], 'documented, but not existing');
});

t.test('the defaults of config keys are as documented', async (t) => {
  const { text } = await readPage('docs/reference/config.md');
  const cells = new Map(tableRows(text).flatMap(([first = '', , third = '']) => codesIn(first).map((n) => [n, third])));
  for (const { path, default: value } of keys) {
    if (value === undefined || typeof value === 'object') continue;
    const cell = codesIn(cells.get(documentedName(path)) ?? '')[0] ?? '';
    if (typeof value === 'number')
      t.ok(
        [String(value), parseDuration(cell)].some((one) => one === cell || one === value),
        path,
      );
    else t.equal(cell, String(value), path);
  }
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

t.test('the page documents exactly the routes of the API', async (t) => {
  const views = exampleViews();
  const streams = new EventStreams(views.journal);
  const server = makeServer({ views, version: '0', token: undefined, streams, onDefect: () => {} });
  t.teardown(() => server.close());
  const { paths } = (await server.inject('/openapi.json')).json<{ paths: Record<string, Record<string, unknown>> }>();
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const named = [...(await namedIn('docs/reference/http.md'))].filter((code) => /^[A-Z]+ \//.test(code));
  t.strictSame(named.sort(), routes.filter((route) => !route.startsWith('OPTIONS ')).sort());
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
