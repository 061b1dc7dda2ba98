import { isUtf8 } from 'node:buffer';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLMap,
  type Document as YamlDocument,
} from 'yaml';
import { withinDeadline } from '../file-system.ts';
import { notUtf8, readRegularBytes } from '../regular-file.ts';
import type { Path, Place, Problem } from './problem.ts';
import { findMistakes } from './syntax.ts';
import { describeUnreadable } from './unreadable.ts';

/** One config file, parsed. */
export interface ConfigDocument {
  readonly file: string;
  readonly value: Record<string, unknown>;
  /** The place of the node at `at`, or of the nearest node around it that is in the file. */
  place(at: Path, what: 'value' | 'key'): Place;
}

export interface ReadDocuments {
  readonly documents: readonly ConfigDocument[];
  readonly problems: readonly Problem[];
}

const extensions = new Set(['.yml', '.yaml', '.json']);
const maxFileBytes = 4 * 1024 * 1024;

/** Reads every file. Of a folder it reads *.yml, *.yaml and *.json, ordered by name. */
export async function readDocuments(paths: readonly string[]): Promise<ReadDocuments> {
  const documents: ConfigDocument[] = [];
  const problems: Problem[] = [];
  for (const given of paths) {
    try {
      for (const file of await listFiles(given)) {
        const bytes = await readRegularBytes(file, { maxBytes: maxFileBytes });
        const result = parseFile(file, bytes.toString('utf8'));
        if (!isUtf8(bytes) && !isUnharmed(result))
          problems.push({ path: '', message: `cannot read ${file}: ${notUtf8}` });
        else if ('problems' in result) problems.push(...result.problems);
        else documents.push(result);
      }
    } catch (thrown) {
      const { path: failed } = thrown as NodeJS.ErrnoException;
      const why = describeUnreadable(failed ?? path.resolve(given), thrown);
      const hint = 'give a config file, or a folder with one, after --config';
      problems.push({ path: '', ...why, hint });
    }
  }
  return { documents, problems };
}

/** Comments may have any encoding. */
function isUnharmed(result: ReturnType<typeof parseFile>): boolean {
  return 'value' in result && !JSON.stringify(result.value).includes('\u{fffd}');
}

async function listFiles(given: string): Promise<readonly string[]> {
  const file = path.resolve(given);
  const stats = await withinDeadline(file, () => stat(file));
  if (!stats.isDirectory()) return [file];
  const names = (await withinDeadline(file, () => readdir(file))).filter(isConfigFile);
  if (names.length === 0) throw noConfigFile();
  return names.sort().map((name) => path.join(file, name));
}

/** Whether a file of a folder is read, by its name. */
export function isConfigFile(name: string): boolean {
  return extensions.has(path.extname(name)) && !name.startsWith('.');
}

/** Its code says that the files may still come. */
function noConfigFile(): Error {
  return Object.assign(new Error('the folder has no *.yml, *.yaml or *.json file'), { code: 'ENODATA' });
}

function parseFile(file: string, text: string): ConfigDocument | { readonly problems: readonly Problem[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    merge: true,
    prettyErrors: false,
    stringKeys: true,
    // findMistakes reports them.
    uniqueKeys: false,
  });
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const mistakes = findMistakes(document, (offset) => placeOf(offset).line);
  if (mistakes.length > 0) {
    const problems = mistakes.map(({ offset, ...mistake }) => ({ path: '', ...mistake, place: placeOf(offset) }));
    return { problems };
  }
  let value: unknown;
  try {
    // The limit stops a small file of nested aliases from expanding to gigabytes.
    value = document.toJS({ maxAliasCount: 1_000 }) ?? {};
  } catch (thrown) {
    return { problems: [{ path: '', message: `not usable YAML: ${(thrown as Error).message}`, place: placeOf(0) }] };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const hint = 'write `section: {...}`';
    return { problems: [{ path: '', message: 'is not a map of sections', hint, place: placeOf(0) }] };
  }
  return {
    file,
    value: value as Record<string, unknown>,
    place: (at, what) => placeOf(offsetOf(document, at, what)),
  };
}

function offsetOf(document: YamlDocument.Parsed, at: Path, what: 'value' | 'key'): number {
  let node = resolve(document, document.contents);
  let offset = node?.range?.[0] ?? 0;
  for (const [i, step] of at.entries()) {
    const next = stepInto(document, node, step);
    if (next === undefined) return offset;
    node = resolve(document, next.value);
    const wanted = what === 'key' && i === at.length - 1 ? (next.key ?? next.value) : (next.value ?? next.key);
    offset = wanted?.range?.[0] ?? offset;
  }
  return offset;
}

interface Entry {
  readonly key: Node | null;
  readonly value: Node | null;
}

function stepInto(document: YamlDocument.Parsed, node: Node | null, step: string | number): Entry | undefined {
  if (isSeq(node)) {
    const value = node.items[Number(step)] as Node | undefined;
    return value === undefined ? undefined : { key: null, value };
  }
  if (!isMap(node)) return undefined;
  const { byName, merged } = entriesOf(node);
  const own = byName.get(String(step));
  if (own !== undefined) return own;
  for (const value of merged) {
    const found = stepInto(document, resolve(document, value), step);
    if (found !== undefined) return found;
  }
  return undefined;
}

interface Entries {
  readonly byName: ReadonlyMap<string, Entry>;
  /** The values of `<<`. */
  readonly merged: readonly Node[];
}

/** A map can have as many mistakes as keys. */
const entries = new WeakMap<YAMLMap, Entries>();

function entriesOf(map: YAMLMap): Entries {
  const known = entries.get(map);
  if (known !== undefined) return known;
  const byName = new Map<string, Entry>();
  const merged: Node[] = [];
  for (const { key, value } of map.items as readonly Entry[]) {
    if (!isScalar(key)) continue;
    byName.set(String(key.value), { key, value });
    if (value !== null && key.source === '<<') merged.push(value);
  }
  const found = { byName, merged };
  entries.set(map, found);
  return found;
}

function resolve(document: YamlDocument.Parsed, node: Node | null): Node | null {
  return isAlias(node) ? (node.resolve(document) ?? null) : node;
}
