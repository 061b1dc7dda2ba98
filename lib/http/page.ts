import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { SwitchmasterError } from '../errors.ts';
import { listEmbedded, packageFolder, readEmbedded } from '../package-files.ts';
import type { Api } from './api.ts';

/*
 * The live page: files of the folder `page`, and one of a package, sent as they are. Nothing is inline and nothing comes from elsewhere, so the
 * policy allows only this server's own files. Trusted Types forbid the page to turn text into markup (W3C, "Trusted
 * Types").
 */
const pageFolder = 'lib/http/page';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml; charset=utf-8',
};

const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const params = z.object({ file: z.string().min(1).max(64) });

interface PageFile {
  readonly type: string;
  readonly bytes: Buffer;
}

/** Serves `/` and its files. Reads the files once. */
export function addPageRoutes(server: Api): void {
  const files = readFiles();
  const index = { summary: 'Read the live page' };
  server.get('/', { schema: index }, async (_request, reply) => {
    reply.header('content-security-policy', pagePolicy);
    return reply.type(types['.html'] ?? '').send(find(files, 'index.html').bytes);
  });
  const part = { summary: 'Read a file of the live page', params };
  server.get('/page/:file', { schema: part }, async (request, reply) => {
    const { file } = request.params;
    const { type, bytes } = find(files, file);
    return reply.type(type).send(bytes);
  });
}

function readFiles(): ReadonlyMap<string, PageFile> {
  const names = listEmbedded(pageFolder);
  const files = names?.map((name) => path.join(packageFolder, pageFolder, name)) ?? listPageFiles();
  const served = files.filter((file) => types[path.extname(file)] !== undefined);
  return new Map(
    served.map((file) => [path.basename(file), { type: types[path.extname(file)] ?? '', bytes: readBytes(file) }]),
  );
}

function readBytes(file: string): Buffer {
  const text = readEmbedded(file);
  return text === undefined ? readFileSync(file) : Buffer.from(text);
}

/** The page's own files, and the browser's file of the package that compares texts. */
export function listPageFiles(): readonly string[] {
  const folder = fileURLToPath(new URL('./page/', import.meta.url));
  const diffLibrary = fileURLToPath(new URL('dist/diff.min.js', import.meta.resolve('diff/package.json')));
  return [...readdirSync(folder).map((name) => path.join(folder, name)), diffLibrary];
}

function find(files: ReadonlyMap<string, PageFile>, name: string): PageFile {
  const file = files.get(name);
  if (file === undefined) throw new SwitchmasterError('not-found', `the page has no file ${JSON.stringify(name)}`);
  return file;
}
