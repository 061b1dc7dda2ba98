import { isUtf8 } from 'node:buffer';
import { dirname, resolve } from 'node:path';
import { readRegularBytes } from '../regular-file.ts';
import type { ImportKind } from './kind.ts';
import { importClientReconfigScript } from './kinds/client-reconfig-script.ts';
import { importConsulTemplate } from './kinds/consul-template.ts';
import { importConsulTemplaterb } from './kinds/consul-templaterb.ts';
import { importRedisTwemproxyAgent } from './kinds/redis-twemproxy-agent.ts';
import { importRedishappy } from './kinds/redishappy.ts';
import { importSmitty } from './kinds/smitty.ts';
import type { ImportFile, ImportResult, NamedFile, ReadFile, UnreadFile } from './output.ts';
import { importInvalid } from './problem.ts';

type Importer = (files: readonly ImportFile[], read: ReadFile) => Promise<ImportResult>;

const importers: Readonly<Record<ImportKind, Importer>> = {
  'redis-twemproxy-agent': importRedisTwemproxyAgent,
  smitty: importSmitty,
  redishappy: importRedishappy,
  'consul-template': importConsulTemplate,
  'consul-templaterb': importConsulTemplaterb,
  'client-reconfig-script': importClientReconfigScript,
};

/** Reads the files, and translates them. Writes nothing. Throws `import-invalid`, or `config-unreadable`. */
export async function importFiles(kind: ImportKind, paths: readonly string[]): Promise<ImportResult> {
  const files: ImportFile[] = [];
  for (const path of paths) files.push({ path, text: await readGiven(path) });
  return importers[kind](files, readNamed);
}

/** A file that the config names: from the working folder, as the programs do, or from the config's own. */
async function readNamed(named: string, from: string): Promise<NamedFile | UnreadFile> {
  const places = [
    { path: resolve(named), place: 'named' },
    { path: resolve(dirname(from), named), place: 'named' },
    { path: resolve(dirname(from), named.replace(/^.*\//, '')), place: 'beside' },
  ] as const;
  let why: string | undefined;
  for (const { path, place } of places) {
    try {
      return { path, text: await readText(path), place };
    } catch (thrown) {
      const { code, message } = thrown as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ENOTDIR') why ??= message;
    }
  }
  return { place: 'none', why: why ?? 'there is no such file' };
}

async function readGiven(path: string): Promise<string> {
  return readText(path).catch((thrown: unknown) => {
    throw importInvalid({ file: path }, `cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  });
}

/** A result with U+FFFD in place of what is no UTF-8 would look right. */
async function readText(path: string): Promise<string> {
  const bytes = await readRegularBytes(path);
  const text = bytes.toString('utf8');
  if (isUtf8(bytes)) return text;
  const line = text.slice(0, text.indexOf('\ufffd')).split('\n').length;
  throw new Error(`it is not UTF-8 text in line ${line}: convert it, as with iconv -f ISO-8859-1 -t UTF-8`);
}
