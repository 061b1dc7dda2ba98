import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';
import { neededNode } from '../cmd/node-version.ts';
import { listPageFiles } from '../lib/http/page.ts';

const root = path.resolve(import.meta.dirname, '..');

/** Builds switchmaster as one file, which runs with Node.js alone. It has the licenses of its libraries at its end. Answers its path. */
export async function buildBundle(file: string): Promise<string> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['packaging/bundle-entry.ts'],
    outfile: file,
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    target: `node${neededNode}`,
    // V8 keeps the whole text in memory. Names and short lines stay, so that stack traces in bug reports are readable.
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 120,
    legalComments: 'none',
    define: { SWITCHMASTER_FILES: JSON.stringify(await readFiles()) },
    // Libraries that are CommonJS modules call it.
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module';\nconst require = makeRequire(import.meta.url);",
    },
    plugins: [lazyRequires, leftOut, withoutGetters],
    logLevel: 'warning',
  });
  const [output] = outputFiles;
  if (output === undefined) throw new Error('esbuild wrote no file');
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, escapeWide(`#!/usr/bin/env node\n${output.text}\n${await describeLicenses(metafile)}`));
  await chmod(file, 0o755);
  return file;
}

/**
 * V8 keeps the whole text in memory, with two bytes for each character if one of them needs two. esbuild escapes strings, but no
 * regular expressions and comments.
 */
function escapeWide(text: string): string {
  return text.replace(/[\u0100-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** What the package has as files, by their paths in the package. All of it is text. */
async function readFiles(): Promise<Readonly<Record<string, string>>> {
  const templates = (await readdir(path.join(root, 'templates'))).map((name) => `templates/${name}`);
  const page = listPageFiles().filter((name) => /\.(html|css|js|svg)$/.test(name));
  const own = await Promise.all(
    templates.map(async (name) => [name, await readFile(path.join(root, name), 'utf8')] as const),
  );
  const served = await Promise.all(
    page.map(async (name) => [`lib/http/page/${path.basename(name)}`, await readFile(name, 'utf8')] as const),
  );
  return Object.fromEntries([...own, ...served, ['package.json', await readManifest()]]);
}

/** Only what a running switchmaster reads. */
async function readManifest(): Promise<string> {
  const { name, version, license } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  return JSON.stringify({ name, version, license });
}

/** A `require` that Node.js made is not seen by esbuild: without its own one, the module becomes a part of the bundle. */
const lazyRequires: Plugin = {
  name: 'lazy-requires',
  setup({ onLoad }) {
    onLoad({ filter: /\/lib\/telemetry\/pretty\.ts$/ }, async ({ path: file }) => {
      const text = await readFile(file, 'utf8');
      const line = 'const require = createRequire(import.meta.url);\n';
      if (!text.includes(line)) throw new Error(`${file} does not have the line ${line}`);
      return { contents: text.replace(line, ''), loader: 'ts' };
    });
  },
};

/**
 * What libraries have and a running switchmaster never calls: compilers for servers that bring none (`lib/http/server.ts` does), requests
 * without a socket, and messages in other languages. Handlebars makes no source maps without `source-map`, and `prom-client` calls
 * `@opentelemetry/api` only for exemplars.
 */
const leftOut: Plugin = {
  name: 'left-out',
  setup({ onLoad }) {
    const unused = /\/node_modules\/(@fastify\/(ajv|fast-json-stringify)-compiler|light-my-request)\/index\.js$/;
    const optional = /\/node_modules\/(source-map\/source-map\.js|@opentelemetry\/api\/dist\/index\.cjs)$/;
    for (const filter of [unused, optional]) onLoad({ filter }, () => ({ contents: '' }));
    onLoad({ filter: /\/node_modules\/zod\/v4\/locales\/index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
    }));
  },
};

/**
 * An `import` of a built-in module calls all its getters: `node:http` loads undici for `WebSocket`, with a WebAssembly module, and
 * `node:tls` makes the texts of all root certificates. In the bundle such a module has a default export, and these names.
 */
const exportedNames: Readonly<Record<string, readonly string[]>> = {
  'node:http': [],
  'node:tls': ['connect', 'createSecureContext', 'createServer'],
};

const withoutGetters: Plugin = {
  name: 'without-getters',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:(http|tls)$/ }, ({ path: name, kind }) =>
      kind === 'import-statement' ? { path: name, namespace: 'without-getters' } : undefined,
    );
    onLoad({ filter: /./, namespace: 'without-getters' }, ({ path: name }) => ({
      contents: `const all = process.getBuiltinModule(${JSON.stringify(name)});
export default all;
export const { ${exportedNames[name]?.join(', ')} } = all;`,
    }));
  },
};

/** A comment with the license of each library in the bundle: their authors ask for that. */
async function describeLicenses({ inputs }: Metafile): Promise<string> {
  const folders = Object.keys(inputs).flatMap(
    (name) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(name)?.[1] ?? [],
  );
  const texts = await Promise.all([...new Set(folders)].sort().map(describeLicense));
  return `/*\nLibraries in this file, with their licenses:\n\n${texts.join('\n\n').replaceAll('*/', '* /')}\n*/\n`;
}

async function describeLicense(name: string): Promise<string> {
  const folder = path.join(root, name);
  const manifest = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8'));
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|copying|notice)(\W|$)/i.test(file));
  const texts = await Promise.all(files.map((file) => readFile(path.join(folder, file), 'utf8')));
  return [`--- ${manifest.name} ${manifest.version} (${manifest.license})`, ...texts.map((text) => text.trim())].join(
    '\n',
  );
}
