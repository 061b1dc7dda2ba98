import {
  describeValue,
  type HelperCall,
  type HelperDefinition,
  joinTexts,
  listArgument,
  templateFailure,
  textArgument,
} from './helper.ts';
import { fieldOf } from './helpers-logic.ts';
import { Float } from './number.ts';
import { entriesOf, isFields, sortedObject } from './ordered.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Helpers that make, group and merge lists and objects. */
export const collectionHelpers: Readonly<Record<string, HelperDefinition>> = {
  join: {
    kind: 'value',
    takes: [2, 2],
    usage: '(join "," list)',
    run(call) {
      refuseListFirst(call, '(join "," list)');
      return joinTexts(listArgument(call, 1).map(textOf), textArgument(call, 0));
    },
  },
  words: {
    kind: 'value',
    takes: [1, 1],
    usage: '(words "a b")',
    run({ args: [value] }) {
      if (Array.isArray(value)) return value;
      if (typeof value === 'string' || typeof value === 'number') return String(value).split(/\s+/).filter(Boolean);
      throw templateFailure(`argument 1 must be a text or a list, not ${describeValue(value)}.`);
    },
  },
  byTag: {
    kind: 'value',
    takes: [1, 1],
    usage: '(byTag (service "web"))',
    run: (call) => groupBy(itemsWith(call, 'tags'), (item) => textsOf(fieldOf(item, 'tags'))),
  },
  byPort: {
    kind: 'value',
    takes: [1, 1],
    usage: '(byPort (service "web"))',
    // JavaScript keeps whole numbers as names in their order.
    run: (call) => ({ ...groupBy(itemsWith(call, 'port'), (item) => [String(fieldOf(item, 'port'))]) }),
  },
  byMeta: {
    kind: 'value',
    takes: [2, 2],
    usage: '(byMeta "version,colour" (service "web"))',
    run(call) {
      refuseListFirst(call, '(byMeta "version" (service "web"))');
      const names = textArgument(call, 0).split(',');
      const groupOf = (item: unknown) => names.map((name) => metaPart(fieldOf(item, 'meta'), name)).join('_');
      return groupBy(itemsWith(call, 'meta'), (item) => [groupOf(item)]);
    },
  },
  byKey: {
    kind: 'value',
    takes: [1, 1],
    usage: '(byKey (tree "folder"))',
    run: (call) => groupKeys(itemsWith(call, 'key')),
  },
  explode: {
    kind: 'value',
    takes: [1, 1],
    usage: '(explode (tree "folder"))',
    run: (call) =>
      explode(itemsWith(call, 'key').map((pair) => [String(fieldOf(pair, 'key')), fieldOf(pair, 'value')])),
  },
  explodeMap: {
    kind: 'value',
    takes: [1, 1],
    usage: '(explodeMap object)',
    run: (call) => explode(Object.entries(sortedObject(entriesOf(fieldsArgument(call, 0))))),
  },
  mergeMap: {
    kind: 'value',
    takes: [2, 2],
    usage: '(mergeMap object other)',
    run: (call) => merge(fieldsArgument(call, 0), fieldsArgument(call, 1), 'keep'),
  },
  mergeMapWithOverride: {
    kind: 'value',
    takes: [2, 2],
    usage: '(mergeMapWithOverride object other)',
    run: (call) => merge(fieldsArgument(call, 0), fieldsArgument(call, 1), 'override'),
  },
};

/** The list came first in earlier versions. */
function refuseListFirst({ args }: HelperCall, usage: string): void {
  if (Array.isArray(args[0])) throw templateFailure(`the list comes last, as in consul-template: ${usage}.`);
}

/** The last argument: what `service`, `tree` and so on give. */
function itemsWith(call: HelperCall, field: string): readonly unknown[] {
  const items = listArgument(call, call.args.length - 1);
  const other = items.find((item) => fieldOf(item, field) === undefined);
  if (other === undefined && !items.includes(undefined)) return items;
  throw templateFailure(`every element of the list needs the field "${field}": ${describeValue(other)} has none.`);
}

/** An element as a part of a text. */
function textOf(item: unknown): string {
  if (typeof item === 'object' && !(item instanceof Float)) {
    throw templateFailure(`it joins texts and numbers: an element of the list is ${describeValue(item)}.`);
  }
  return String(item);
}

function fieldsArgument({ args }: HelperCall, position: number): Fields {
  const value = args[position];
  if (isFields(value)) return value;
  throw templateFailure(`argument ${position + 1} must be an object, not ${describeValue(value)}.`);
}

function groupBy(items: readonly unknown[], groupsOf: (item: unknown) => readonly string[]): Fields {
  const groups = new Map<string, unknown[]>();
  for (const item of items) {
    for (const name of groupsOf(item)) {
      const group = groups.get(name);
      if (group === undefined) groups.set(name, [item]);
      else group.push(item);
    }
  }
  return sortedObject(groups);
}

/** One part of a group's name. `name|int` is a number of five digits, so that groups come in the order of numbers. */
function metaPart(meta: unknown, written: string): string {
  const name = written.replace(/\|int$/, '');
  const isNumber = name !== written;
  const value = String(fieldOf(meta, name) ?? '') || (isNumber ? '0' : `_no_${name}_`);
  if (!isNumber) return value.replace(/[^a-zA-Z0-9_-]/g, '_');
  if (!/^[+-]?\d+$/.test(value))
    throw templateFailure(`the meta value ${JSON.stringify(value)} of "${name}" is not a number.`);
  const sign = value.startsWith('-') ? '-' : '';
  return sign + String(Math.abs(Number(value))).padStart(5 - sign.length, '0');
}

/** Pairs by the first part of their key; pairs directly in the folder have none. */
function groupKeys(pairs: readonly unknown[]): Fields {
  const groups = new Map<string, (readonly [string, unknown])[]>();
  for (const pair of pairs) {
    const [top = '', ...rest] = String(fieldOf(pair, 'key')).split('/');
    const key = rest.join('/');
    if (key === '') continue;
    const group = groups.get(top) ?? [];
    groups.set(top, group);
    group.push([key, { ...(pair as object), key }]);
  }
  return sortedObject([...groups].map(([top, group]) => [top, sortedObject(group)] as const));
}

/** Nested objects from keys with slashes. */
function explode(entries: readonly (readonly [string, unknown])[]): Fields {
  const root = new Map<string, unknown>();
  for (const [key, value] of entries) {
    const parts = key.split('/');
    const last = parts.pop() ?? '';
    let folder = root;
    for (const part of parts) {
      const inner = folder.get(part) ?? new Map<string, unknown>();
      if (!(inner instanceof Map)) throw templateFailure(`the key "${key}" is below "${part}", which has a value.`);
      folder.set(part, inner);
      folder = inner;
    }
    if (last !== '') folder.set(last, value);
  }
  return nested(root);
}

function nested(folder: ReadonlyMap<string, unknown>): Fields {
  return sortedObject(
    [...folder].map(([name, inner]) => [name, inner instanceof Map ? nested(inner) : inner] as const),
  );
}

/** Fields of both, also in nested objects. A field of `to` counts as absent if it is empty: false, 0, '' or an empty list. */
function merge(to: Fields, from: Fields, which: 'keep' | 'override'): Fields {
  const merged = new Map<string, unknown>(Object.entries(to));
  for (const [name, theirs] of Object.entries(from)) {
    const ours = merged.get(name);
    if (isFields(ours) && isFields(theirs)) merged.set(name, merge(ours, theirs, which));
    else if (which === 'override' || (isEmpty(ours) && theirs !== null)) merged.set(name, theirs);
  }
  return sortedObject(merged);
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (value instanceof Float) return value.value === 0;
  return value === undefined || value === null || value === false || value === 0 || value === '';
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
