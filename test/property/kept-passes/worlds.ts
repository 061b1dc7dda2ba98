import fc from 'fast-check';
import type { ServiceInstance } from '../../../lib/model/catalog.ts';
import type { Lookup, RenderWorld } from '../../../lib/template/scope.ts';
import { knowRecords, makeInstance, makeRecord, makeWorld } from '../../template/world.ts';

/* What random templates read, and how it changes. As in the daemon, an answer stays the same object until it changes. */

/** One change. `answers` and `local`: what each may be then; `pick` chooses one that the template reads. */
export interface Edit {
  readonly of: 'answer' | 'local';
  readonly pick: number;
  readonly answers: Readonly<Record<string, Lookup<unknown>>>;
  readonly local: Local;
}

interface Local {
  readonly secret: string | undefined;
  readonly file: string | undefined;
  readonly vars: Readonly<Record<string, unknown>>;
  readonly environment: string;
  readonly now: Date;
}

export interface State {
  readonly answers: ReadonlyMap<string, Lookup<unknown>>;
  readonly local: Local;
}

const names = ['a', 'b', 'c'];
const known = (value: unknown): Lookup<unknown> => ({ kind: 'known', value });

/** Values that some format refuses or quotes, or that are a part of a line's syntax. */
const oddTexts = [
  'a b\n',
  '',
  '%h',
  'hunter22',
  'include',
  'x=y',
  '"q',
  ']x',
  '$y',
  'user',
  'ä☃',
  '\\',
  '# x',
  '1\u0000<0\u0000',
];

const critical = { id: 'c', serviceId: 'one', name: 'c', status: 'critical', output: '' } as const;

const instance = fc.record({
  id: fc.constantFrom('one', 'two'),
  port: fc.integer({ min: 1, max: 3 }),
  address: fc.oneof({ weight: 12, arbitrary: fc.constantFrom('10.0.0.1', '10.0.0.2') }, fc.constantFrom(...oddTexts)),
  tags: fc.constantFrom<string[][]>([], ['x'], ['t', 'x']),
  meta: fc.constantFrom<Record<string, string>[]>({ x: 'y' }, {}),
  checks: fc.constantFrom<ServiceInstance['checks'][]>([], [critical]),
});

const instances = (name: string) =>
  fc.array(instance, { maxLength: 2 }).map((list) => known(list.map((one) => makeInstance({ name, ...one }))));

const serviceList = fc
  .tuple(
    fc.oneof(
      { weight: 4, arbitrary: fc.constant(names) },
      fc.subarray(names),
      fc.constantFrom(['a', 'x.a'], ['a', 'b@c']),
    ),
    fc.constantFrom<string[][]>(['t'], ['t', 'u'], []),
  )
  .map(([list, tags]) => known(new Map(list.map((name) => [name, tags]))));

const pair = (key: string, value: string | undefined) =>
  value === undefined ? undefined : { key, value, modifyIndex: 1 };
const keyOf = (key: string, ...options: (string | undefined)[]) =>
  fc.constantFrom(...options).map((value) => known(pair(key, value)));
const gone = fc.constant<Lookup<unknown>>({ kind: 'known', value: undefined, former: { key: 'k', value: 'old' } });

const folder = fc
  .array(fc.tuple(fc.constantFrom('a', 'b', 'p@q', 'sub/x'), fc.constantFrom('1', 'two', 'a b', '')), { maxLength: 3 })
  .map((pairs) => known([...new Map(pairs)].map(([key, value]) => ({ key: `f/${key}`, value, modifyIndex: 1 }))));

const answers: Readonly<Record<string, fc.Arbitrary<Lookup<unknown>>>> = {
  services: serviceList,
  ...Object.fromEntries(names.map((name) => [`service(${name})`, instances(name)])),
  'service(x.a)': instances('x.a'),
  ...Object.fromEntries(names.map((name) => [`connect(${name})`, instances(name)])),
  'key(k)': fc.oneof(keyOf('k', 'd', 'e', '2', 'a b'), gone),
  'key(w)': keyOf('w', '', 'word ', '\n', 'x\n', '%', '"', undefined, ' \\'),
  'key(n)': keyOf('n', '1', '2', 'no number'),
  'key(json)': keyOf('json', '["a","b"]', '[]', '', '["a"'),
  'key-tree(f)': folder,
  'key-tree(redis/record/)': fc
    .constantFrom('10.0.0.1', '10.0.0.2')
    .map((host) => known(Object.values(knowRecords([makeRecord({ master: { host, port: 6379 } })]))[0])),
};

const lost = fc.constantFrom<Lookup<unknown>[]>({ kind: 'unknown' }, { kind: 'denied' });
const mostlyKnown = Object.fromEntries(
  Object.entries(answers).map(([id, arbitrary]) => [id, fc.oneof({ weight: 12, arbitrary }, lost)]),
);

const local: fc.Arbitrary<Local> = fc.record({
  secret: fc.constantFrom(undefined, '10.0.0.9', '10.0.0.1', 'hunter22', 'x'),
  file: fc.constantFrom(undefined, 'text', '10.0.0.9', 'f\n'),
  environment: fc.constantFrom('e', 'f'),
  now: fc.constantFrom(0, 1).map((seconds) => new Date(seconds * 1_000)),
  vars: fc.record({
    word: fc.constantFrom('word', 'a b', '%'),
    items: fc.array(fc.constantFrom('a', 'b', 'c', 'x y'), { maxLength: 3 }),
    map: fc.constantFrom({ p: 'a', q: 'b' }, { p: 'a', q: 'a' }, {}),
  }),
});

/** How a template names what is local. */
const localWords: Readonly<Record<keyof Local, string>> = {
  secret: 'env',
  file: 'file',
  environment: 'environment',
  now: 'timestamp',
  vars: 'vars',
};

export const edits: fc.Arbitrary<Edit> = fc.record({
  of: fc.constantFrom<Edit['of'][]>('answer', 'answer', 'answer', 'answer', 'local'),
  pick: fc.nat(1_000),
  answers: fc.record(mostlyKnown),
  local,
});

export function firstState(): State {
  const one = (name: string) => known([makeInstance({ name, id: 'one', tags: ['t'], meta: { x: 'y' } })]);
  return {
    answers: new Map<string, Lookup<unknown>>([
      ['services', known(new Map(names.map((name) => [name, ['t']])))],
      ...names.map((name) => [`service(${name})`, one(name)] as const),
      ['service(x.a)', one('x.a')],
      ['connect(a)', one('a')],
      ['connect(b)', one('b')],
      ['connect(c)', one('c')],
      ['key(k)', known(pair('k', 'd'))],
      ['key(w)', known(pair('w', ''))],
      ['key(n)', known(pair('n', '1'))],
      ['key(json)', known(pair('json', '["a"]'))],
      ['key-tree(f)', known([{ key: 'f/a', value: '1', modifyIndex: 1 }])],
      ['key-tree(redis/record/)', known(Object.values(knowRecords([makeRecord()]))[0])],
    ]),
    local: {
      secret: undefined,
      file: 'text',
      environment: 'e',
      now: new Date(0),
      vars: { word: 'word', items: ['a', 'b'], map: { p: 'a', q: 'b' } },
    },
  };
}

/** `asked`: the queries of the last render. */
export function edited(state: State, edit: Edit, read: { asked: ReadonlySet<string>; text: string }): State {
  const { of, pick, answers: given } = edit;
  const parts = Object.entries(localWords).filter(([, word]) => read.text.includes(word));
  const [part] = parts[pick % Math.max(1, parts.length)] ?? [];
  if (of === 'local' && part !== undefined) {
    return { ...state, local: { ...state.local, [part]: edit.local[part as keyof Local] } };
  }
  const ids = [...read.asked].filter((id) => Object.hasOwn(given, id));
  const id = ids[pick % Math.max(1, ids.length)];
  const answer = id === undefined ? undefined : given[id];
  if (id === undefined || answer === undefined) return state;
  return { ...state, answers: new Map([...state.answers, [id, answer]]) };
}

const nothing = known([]);

/** A world of the state, and the ids of the queries that it was asked. */
export function worldOf({ answers: all, local: { secret, file, now, ...rest } }: State): {
  readonly world: RenderWorld;
  readonly asked: ReadonlySet<string>;
} {
  const asked = new Set<string>();
  const base = makeWorld(
    {},
    { ...rest, env: secret === undefined ? {} : { S: secret }, files: file === undefined ? {} : { f: file } },
  );
  const lookUp = (_query: unknown, id: string) => {
    asked.add(id);
    return (all.get(id) ?? nothing) as never;
  };
  return { world: { ...base, now, lookUp }, asked };
}
