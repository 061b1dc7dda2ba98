import { stringify as stringifyYaml } from 'yaml';
import { Markup } from './format.ts';
import { describeValue, type HelperDefinition, listArgument, templateFailure, textArgument } from './helper.ts';
import { isTrue } from './helpers-blocks.ts';

const many = Number.POSITIVE_INFINITY;

/** Helpers that choose, compare, collect and convert values of any kind. */
export const valueHelpers: Readonly<Record<string, HelperDefinition>> = {
  default: {
    kind: 'value',
    takes: [2, 2],
    usage: '(default vars.x "text")',
    run: ({ args: [value, fallback] }) => (value === undefined || value === null ? fallback : value),
  },
  lookup: {
    kind: 'value',
    takes: [2, 2],
    usage: '(lookup object name)',
    run({ args: [object, name] }) {
      const known = typeof object === 'object' && object !== null && Object.hasOwn(object, String(name));
      return known ? (object as Record<string, unknown>)[String(name)] : undefined;
    },
  },
  eq: { kind: 'value', takes: [2, 2], usage: '(eq a b)', run: ({ args: [a, b] }) => a === b },
  ne: { kind: 'value', takes: [2, 2], usage: '(ne a b)', run: ({ args: [a, b] }) => a !== b },
  and: {
    kind: 'value',
    takes: [1, many],
    usage: '(and a b)',
    run: ({ args }) => args.find((arg) => !isTrue(arg)) ?? args.at(-1),
  },
  or: {
    kind: 'value',
    takes: [1, many],
    usage: '(or a b)',
    run: ({ args }) => args.find((arg) => isTrue(arg)) ?? args.at(-1),
  },
  not: { kind: 'value', takes: [1, 1], usage: '(not x)', run: ({ args: [value] }) => !isTrue(value) },
  length: { kind: 'value', takes: [1, 1], usage: '(length list)', run: (call) => listArgument(call, 0).length },
  join: {
    kind: 'value',
    takes: [2, 2],
    usage: '(join list ",")',
    run: (call) => listArgument(call, 0).map(String).join(textArgument(call, 1)),
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
  in: {
    kind: 'value',
    takes: [2, 2],
    usage: '(in list x)',
    run: (call) => listArgument(call, 0).includes(call.args[1]),
  },
  byTag: {
    kind: 'value',
    takes: [1, 1],
    usage: '(byTag (service "web"))',
    run: (call) => groupBy(listArgument(call, 0), (item) => textsOf(fieldOf(item, 'tags'))),
  },
  byMeta: {
    kind: 'value',
    takes: [2, 2],
    usage: '(byMeta (service "web") "version,colour")',
    run(call) {
      const names = textArgument(call, 1).split(',');
      const groupOf = (item: unknown) => names.map((name) => String(fieldOf(fieldOf(item, 'meta'), name) ?? ''));
      return groupBy(listArgument(call, 0), (item) => [groupOf(item).join('_')]);
    },
  },
  byKey: {
    kind: 'value',
    takes: [1, 1],
    usage: '(byKey (tree "folder"))',
    run: (call) => groupBy(listArgument(call, 0), (item) => [String(fieldOf(item, 'key')).split('/')[0] ?? '']),
  },
  toJSON: {
    kind: 'value',
    takes: [1, 1],
    usage: '(toJSON x)',
    run: ({ args: [value] }) => new Markup('json', JSON.stringify(value ?? null)),
  },
  toYAML: {
    kind: 'value',
    takes: [1, 1],
    usage: '(toYAML x)',
    // On one line: other forms depend on the indentation.
    run: ({ args: [value] }) =>
      new Markup(
        'yaml',
        stringifyYaml(value ?? null, {
          collectionStyle: 'flow',
          lineWidth: 0,
          flowCollectionPadding: false,
          defaultStringType: 'QUOTE_DOUBLE',
        }).trimEnd(),
      ),
  },
  parseJSON: {
    kind: 'value',
    takes: [1, 1],
    usage: '(parseJSON (key "x"))',
    run(call) {
      const text = textArgument(call, 0);
      // An unknown value renders to nothing.
      if (text === '' && call.scope.missing.size > 0) return undefined;
      try {
        return JSON.parse(text) as unknown;
      } catch (cause) {
        throw templateFailure('the text is not JSON.', cause);
      }
    },
  },
  env: {
    kind: 'value',
    takes: [1, 2],
    usage: '(env "NAME" "default")',
    run(call) {
      const name = textArgument(call, 0);
      const value = call.scope.readVariable(name) ?? call.args[1];
      if (value === undefined)
        throw templateFailure(`the environment variable ${name} is not set: give env a default, or set it.`);
      return value;
    },
  },
  file: {
    kind: 'value',
    takes: [1, 1],
    usage: '(file "/path")',
    run: (call) => call.scope.readFile(textArgument(call, 0)) ?? '',
  },
  raw: {
    kind: 'value',
    takes: [1, 1],
    usage: '{{raw x}}',
    run(call) {
      const text = textArgument(call, 0);
      if (text.includes('\u0000')) throw templateFailure('the text contains a NUL character.');
      return new Markup('raw', text);
    },
  },
};

/** Groups sorted by name; an object without a prototype, so that any tag is just a name. */
function groupBy(items: readonly unknown[], groupsOf: (item: unknown) => readonly string[]): object {
  const groups = new Map<string, unknown[]>();
  for (const item of items) {
    for (const name of groupsOf(item)) groups.set(name, [...(groups.get(name) ?? []), item]);
  }
  const sorted = [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.assign(Object.create(null), Object.fromEntries(sorted));
}

function fieldOf(item: unknown, name: string): unknown {
  const known = typeof item === 'object' && item !== null && Object.hasOwn(item, name);
  return known ? (item as Record<string, unknown>)[name] : undefined;
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
