/* What random templates are made of. */

/** What `this` is. */
export type Kind = 'root' | 'service' | 'instance' | 'text' | 'pair' | 'master';

type List = readonly [list: string, kind: Kind];

/** Kinds of what a pass depends on besides its item, or what depends on a pass. */
export const odds = [
  ...([
    'literal',
    'partial',
    'index',
    'outer',
    'name',
    'root',
    'scratch',
    'map',
    'secret',
    'file',
    'time',
    'key',
    'json',
  ] as const),
  ...(['folder', 'error', 'raw', 'masters', 'list'] as const),
] as const;
export type Odd = (typeof odds)[number];

const fields: Readonly<Record<Kind, readonly string[]>> = {
  root: ['environment', 'vars.word'],
  service: ['name'],
  instance: ['name', 'address', 'address', 'port', 'id', 'status'],
  text: ['this'],
  pair: ['key', 'value', 'path'],
  master: ['name', 'address'],
};

/** With odd ones, some of which are not there. */
export function ownFields(kind: Kind, chosen: ReadonlySet<Odd>): readonly string[] {
  const all = fields[kind];
  if (kind !== 'instance' || !chosen.has('error')) return all;
  return [...all, '(parseInt address)', '(toJSON this)', 'meta.x', '(index tags 0)', '(join "," tags)'];
}

export const ownLists: Readonly<Record<Kind, readonly List[]>> = {
  root: [
    ['services', 'service'],
    ['services', 'service'],
    ['(service "a")', 'instance'],
  ],
  service: [
    ['(service name)', 'instance'],
    ['(service name)', 'instance'],
    ['(service name)', 'instance'],
    ['(service (printf "x.%s" name))', 'instance'],
    ['(service name "passing,critical")', 'instance'],
    ['(service name literal=true)', 'instance'],
    ['(connect name)', 'instance'],
    ['tags', 'text'],
  ],
  instance: [['tags', 'text']],
  text: [],
  pair: [],
  master: [],
};

/** Lists that any place can have. */
export function anywhere(chosen: ReadonlySet<Odd>): readonly List[] {
  const all: readonly List[] = [
    ['services', 'service'],
    ['(service "a")', 'instance'],
    ['(loop 2)', 'text'],
    ['(split "," "p,q,p")', 'text'],
  ];
  const of: Partial<Record<Odd, readonly List[]>> = {
    list: [
      ['@root.vars.items', 'text'],
      ['@root.vars.map', 'text'],
      ['(service "x.a")', 'instance'],
      ['(words "a b a")', 'text'],
    ],
    folder: [
      ['(ls "f")', 'pair'],
      ['(tree "f")', 'pair'],
      ['(safeLs "f")', 'pair'],
    ],
    json: [['(parseJSON (keyOrDefault "json" "[]"))', 'text']],
    masters: [['redisMasters', 'master']],
  };
  return [...all, ...chosenOf(of, chosen)];
}

/** Values of expressions that any place can have. */
export function oddValues(chosen: ReadonlySet<Odd>): readonly string[] {
  return chosenOf(values, chosen);
}

const values: Partial<Record<Odd, readonly string[]>> = {
  root: ['(toLower @root.environment)', '(toLower @root.vars.word)'],
  scratch: ['(default (scratch.Get "a") "unset")', '(scratch.Key "a")'],
  map: ['(len (scratch.MapValues "m"))', '(toJSON (scratch.MapValues "m"))'],
  secret: ['(env "S")', '(envOrDefault "S" "d")', '(envName (env "S"))'],
  file: ['(file "f")'],
  time: ['(timestamp)'],
  key: ['(key "k")', '(keyOrDefault "w" "")', '(keyBase64 "w")'],
  json: ['(len (parseJSON (keyOrDefault "json" "")))', '(len (default (parseJSON (keyOrDefault "json" "")) "12"))'],
  folder: ['(len (safeLs "f"))', '(len (ls "f"))'],
  error: ['(parseInt (keyOrDefault "n" "1"))'],
  raw: ['(raw (keyOrDefault "w" ""))'],
  masters: ['(len redisMasters)'],
  list: ['(toJSON @root.vars.items)'],
};

/** Statements, some with a VALUE. */
export function oddEffects(chosen: ReadonlySet<Odd>): readonly string[] {
  const of: Partial<Record<Odd, readonly string[]>> = {
    scratch: ['{{scratch.Set "a" VALUE}}', '{{scratch.SetX "a" VALUE}}'],
    map: ['{{scratch.MapSet "m" "f" VALUE}}', '{{scratch.MapSet "m" (printf "%v" VALUE) VALUE}}'],
    raw: ['{{raw (keyOrDefault "w" "")}}', '{{raw VALUE}}', '{{raw VALUE}}\n'],
    json: ['{{toJSON VALUE}}'],
    secret: ['{{#if (env "S")}}{{/if}}'],
  };
  return chosenOf(of, chosen);
}

function chosenOf<T>(of: Partial<Record<Odd, readonly T[]>>, chosen: ReadonlySet<Odd>): readonly T[] {
  return [...chosen].flatMap((odd) => of[odd] ?? []);
}

/** Texts that end no line, or quote it, or give it another meaning. */
export const oddLiterals: readonly string[] = [
  ...['\n', '\n', ' ', 'x', '"', "'", '%', '%%', '\\ ', '\\\n', '=', '#', '; ', '[', ']', '  ', 'ä☃'],
  ...['include ', 'option ', 'bind :', 'user ', 'backend b\n'],
];
