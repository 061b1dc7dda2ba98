import { isDeepStrictEqual } from 'node:util';
import { isMap } from '../model/json.ts';
import type { ConfigDocument } from './document.ts';
import { formatPath, formatPlace, type Path, type Place, type Problem } from './problem.ts';

/** All files as one tree that keeps the origin of each node. */
export interface MergedConfig {
  readonly value: Record<string, unknown>;
  readonly problems: readonly Problem[];
  /** The place of `at` in a file; undefined without any file. */
  place(at: Path, what?: 'value' | 'key'): Place | undefined;
}

interface Origin {
  readonly document: ConfigDocument;
  readonly path: Path;
}

interface Merge {
  readonly origins: Map<string, Origin>;
  readonly problems: Problem[];
}

/** Merges maps and concatenates lists. Two different values for one key are a problem. */
export function mergeDocuments(documents: readonly ConfigDocument[]): MergedConfig {
  const merge: Merge = { origins: new Map(), problems: [] };
  let value: Record<string, unknown> = {};
  for (const document of documents) {
    const origin = { document, path: [] };
    value = mergeMaps(merge, { value, added: document.value, at: [], origin });
    if (!merge.origins.has(keyOf([]))) merge.origins.set(keyOf([]), origin);
  }
  return { value, problems: merge.problems, place: (at, what) => findPlace(merge.origins, at, what ?? 'value') };
}

interface Step<T> {
  readonly value: T;
  readonly added: T;
  readonly at: Path;
  readonly origin: Origin;
}

function mergeMaps(merge: Merge, step: Step<Record<string, unknown>>): Record<string, unknown> {
  const entries = new Map(Object.entries(step.value));
  for (const [key, added] of Object.entries(step.added)) {
    const at = [...step.at, key];
    const origin = { document: step.origin.document, path: [...step.origin.path, key] };
    if (entries.has(key)) {
      entries.set(key, mergeValues(merge, { value: entries.get(key), added, at, origin }));
    } else {
      merge.origins.set(keyOf(at), origin);
      entries.set(key, added);
    }
  }
  return Object.fromEntries(entries);
}

function mergeValues(merge: Merge, step: Step<unknown>): unknown {
  const { value, added, at, origin } = step;
  if (added === null) return value;
  if (value === null) {
    merge.origins.set(keyOf(at), origin);
    return added;
  }
  if (Array.isArray(value) && Array.isArray(added)) {
    for (const i of added.keys()) {
      merge.origins.set(keyOf([...at, value.length + i]), { ...origin, path: [...origin.path, i] });
    }
    return [...value, ...added];
  }
  if (isMap(value) && isMap(added)) return mergeMaps(merge, { value, added, at, origin });
  if (!isDeepStrictEqual(value, added)) {
    const first = findPlace(merge.origins, at, 'value');
    merge.problems.push({
      path: formatPath(at),
      message: `is set twice: here and at ${first === undefined ? 'another place' : formatPlace(first)}`,
      place: origin.document.place(origin.path, 'value'),
      hint: 'keep one of them',
    });
  }
  return value;
}

function findPlace(origins: Merge['origins'], at: Path, what: 'value' | 'key'): Place | undefined {
  for (let length = at.length; length >= 0; length -= 1) {
    const origin = origins.get(keyOf(at.slice(0, length)));
    if (origin !== undefined) return origin.document.place([...origin.path, ...at.slice(length)], what);
  }
  return undefined;
}

function keyOf(path: Path): string {
  return JSON.stringify(path);
}
