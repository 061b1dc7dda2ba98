import fc from 'fast-check';
import type { TemplateFormat } from '../../../lib/template/format.ts';
import {
  anywhere,
  type Kind,
  type Odd,
  oddEffects,
  oddLiterals,
  odds,
  oddValues,
  ownFields,
  ownLists,
} from './words.ts';

/*
 * Random templates: loops within loops and blocks. Most of what they have can be kept. Each has one or two kinds of what cannot,
 * or all of them, so that a pass has often nothing else that keeps it from being kept.
 */

export interface RandomTemplate {
  readonly text: string;
  readonly format: TemplateFormat;
  readonly partials: ReadonlyMap<string, string>;
  readonly limits: { readonly maxSteps?: number; readonly maxOutputBytes?: number };
}

interface Place {
  /** What `this` is. */
  readonly kind: Kind;
  /** What is around it, for `../`. */
  readonly outer: readonly Kind[];
  /** Names of block parameters, what they are, and whether the innermost loop gave them. */
  readonly names: readonly (readonly [name: string, kind: Kind, whose: 'own' | 'outer'])[];
  /** How many blocks may still be within. */
  readonly depth: number;
  readonly inLoop: boolean;
  readonly odds: ReadonlySet<Odd>;
}

type Generate = fc.GeneratorValue;

const formats: readonly TemplateFormat[] = ['conf', 'conf', 'haproxy', 'redis', 'text', 'text', 'yaml', 'env', 'json'];
const limits: readonly RandomTemplate['limits'][] = [
  ...[{}, {}, {}, {}],
  { maxSteps: 30 },
  { maxSteps: 120 },
  { maxOutputBytes: 300 },
  { maxOutputBytes: 3_000 },
];
const partialKinds: readonly Kind[] = ['root', 'service', 'instance', 'text'];

export const templates: fc.Arbitrary<RandomTemplate> = fc.gen().map((g) => {
  const some = g(fc.subarray<Odd>, [...odds], { maxLength: 2 });
  const all = g(fc.integer, { min: 0, max: 5 }) === 0;
  const place: Place = {
    kind: 'root',
    outer: [],
    names: [],
    depth: 4,
    inLoop: false,
    odds: new Set(all ? odds : some),
  };
  const included = partialKinds.map((kind) => {
    const within: Place = { ...place, kind, depth: 1, outer: ['root'], inLoop: true };
    return [
      `of-${kind}`,
      body(g, { ...within, odds: new Set([...place.odds].filter((odd) => odd !== 'partial')) }),
    ] as const;
  });
  return {
    text: main(g, place),
    format: oneOf(g, formats),
    partials: new Map(included),
    limits: oneOf(g, limits),
  };
});

function oneOf<T>(g: Generate, list: readonly T[]): T {
  return list[g(fc.integer, { min: 0, max: list.length - 1 })] as T;
}

/** The loop that every such template has, with little else within and around it. */
function usual(g: Generate, place: Place): string {
  const inLoop = { ...place, depth: 0, inLoop: true };
  const service: Place = { ...inLoop, kind: 'service', outer: ['root'], names: [['s0', 'service', 'own']] };
  const names = [
    ['s0', 'service', 'outer'],
    ['i0', 'instance', 'own'],
  ] as const;
  const instance: Place = { ...inLoop, kind: 'instance', outer: ['service', 'root'], names };
  const some = (at: Place) => (g(fc.integer, { min: 0, max: 2 }) > 0 ? '' : oddity(g, at) + oneOf(g, ['\n', '']));
  const line = `${oddity(g, instance)}{{i0.address}}${some(instance)}${oneOf(g, ['\n', '\n', '\n', ''])}`;
  const within = g(fc.boolean)
    ? `${some(service)}{{#each (service s0.name) as |i0|}}${line}{{/each}}${some(service)}`
    : `${statement(g, service)}${some(service)}\n`;
  return `${some(place)}{{#each services as |s0|}}${within}{{/each}}${some(place)}`;
}

/** A statement of an odd kind, if the template has any. */
function oddity(g: Generate, place: Place): string {
  const { odds: chosen, kind, inLoop, outer } = place;
  const around = outer[0];
  const field = (of: Kind) => ownFields(of, new Set())[0];
  const all = [
    ...oddValues(chosen).map((one) => `{{${one.slice(1, -1)}}}`),
    ...oddEffects(chosen).map((one) => one.replaceAll('VALUE', value(g, place))),
    ...(chosen.has('literal') ? [oneOf(g, oddLiterals)] : []),
    ...(chosen.has('index') && inLoop ? ['{{@index}}', '{{@last}}'] : []),
    ...(chosen.has('outer') && around !== undefined ? [`{{../${field(around)}}}`] : []),
    ...(chosen.has('partial') && partialKinds.includes(kind) ? [include(g, kind)] : []),
    ...(chosen.has('name') && kind === 'instance' ? ['{{s0.name}}'] : []),
  ];
  return all.length === 0 || g(fc.integer, { min: 0, max: 3 }) === 0 ? statement(g, place) : oneOf(g, all);
}

/** Loops, and something before and after them: usually whole lines. */
function main(g: Generate, place: Place): string {
  if (g(fc.boolean)) return usual(g, place);
  const parts = Array.from({ length: g(fc.integer, { min: 1, max: 3 }) }, () => {
    const before = g(fc.boolean) ? '' : statement(g, place) + oneOf(g, ['\n', '\n', '\n', '']);
    return before + loop(g, place);
  });
  const end = g(fc.boolean) ? '' : body(g, { ...place, depth: 1 });
  return parts.join(oneOf(g, ['', '', '\n', ' '])) + end;
}

function body(g: Generate, place: Place): string {
  const statements = Array.from({ length: g(fc.integer, { min: 1, max: 3 }) }, () => statement(g, place));
  return statements.join('') + oneOf(g, ['\n', '\n', '\n', '\n', '\n', '', ' ']);
}

function statement(g: Generate, place: Place): string {
  const { depth, kind, odds } = place;
  switch (g(fc.integer, { min: 0, max: depth === 0 ? 4 : ownLists[kind].length > 1 ? 14 : 9 })) {
    case 0:
      return odds.has('literal') ? oneOf(g, oddLiterals) : oneOf(g, ['\n', ' ', 'word ', '# ', 'server ']);
    case 1:
    case 2:
      return print(g, place);
    case 3:
      return effect(g, place);
    case 4:
      return odds.has('partial') && partialKinds.includes(kind) ? include(g, kind) : print(g, place);
    case 5:
      return choice(g, place);
    case 6:
      return withBlock(g, place);
    default:
      return loop(g, place);
  }
}

function loop(g: Generate, place: Place): string {
  const own = ownLists[place.kind];
  const lists = own.length > 0 && g(fc.integer, { min: 0, max: 4 }) > 0 ? own : anywhere(place.odds);
  const [list, kind] = oneOf(g, lists);
  const name = `${kind[0]}${g(fc.integer, { min: 0, max: 1 })}`;
  const isNamed = g(fc.boolean);
  const index = place.odds.has('index') && g(fc.boolean) ? ' n' : '';
  const others = place.names
    .filter(([one]) => !isNamed || one !== name)
    .map(([one, of]) => [one, of, 'outer'] as const);
  const within: Place = {
    ...place,
    kind,
    names: isNamed ? [...others, [name, kind, 'own']] : others,
    outer: [place.kind, ...place.outer],
    depth: place.depth - 1,
    inLoop: true,
  };
  const text = body(g, within) + (isNamed && index !== '' ? '{{n}}\n' : '');
  const other = g(fc.boolean) ? `{{else}}${body(g, { ...place, depth: 0 })}` : '';
  return `{{#each ${list}${isNamed ? ` as |${name}${index}|` : ''}}}${text}${other}{{/each}}`;
}

/** Handlebars indents the lines of a partial that is alone in a line. */
function include(g: Generate, kind: Kind): string {
  const tag = `{{> of-${kind}}}`;
  return oneOf(g, [tag, `\n  ${tag}\n`]);
}

function choice(g: Generate, place: Place): string {
  const within = { ...place, depth: place.depth - 1 };
  const block = oneOf(g, ['if', 'unless']);
  const test = g(fc.boolean) ? value(g, place) : `(eq ${value(g, place)} ${value(g, place)})`;
  const other = g(fc.boolean) ? `{{else}}${body(g, { ...within, depth: 0 })}` : '';
  return `{{#${block} ${test}}}${body(g, within)}${other}{{/${block}}}`;
}

function withBlock(g: Generate, place: Place): string {
  const within = { ...place, outer: [place.kind, ...place.outer], depth: place.depth - 1 };
  if (g(fc.boolean)) return `{{#with this as |t|}}${body(g, within)}{{/with}}`;
  const names = [...place.names.filter(([name]) => name !== 'w'), ['w', 'text', 'own'] as const];
  return `{{#with ${value(g, place)} as |w|}}${body(g, { ...within, kind: 'text', names })}{{/with}}`;
}

function print(g: Generate, place: Place): string {
  return `{{${value(g, place).replace(/^\((.*)\)$/s, '$1')}}}`;
}

/** An expression. Most are fields of what the pass is about. */
function value(g: Generate, place: Place): string {
  const { kind, names, inLoop, outer, odds } = place;
  const field = (of: Kind) => oneOf(g, ownFields(of, odds));
  const usable = names.filter(([, , whose]) => whose === 'own' || odds.has('name'));
  switch (g(fc.integer, { min: 0, max: 9 })) {
    case 0: {
      if (usable.length === 0) return field(kind);
      const [name, of] = oneOf(g, usable);
      const own = field(of);
      return own === 'this' ? name : own.startsWith('(') ? field(kind) : `${name}.${own}`;
    }
    case 1:
      return oneOf(g, ['(keyOrDefault "k" "d")', '(keyExists "k")', '(add 1 2)', '(add 5.0 1)', '(len "abc")']);
    case 2:
      return odds.has('index') && inLoop ? oneOf(g, ['@index', '@first', '@last', '@key', '@index']) : field(kind);
    case 3: {
      const around = outer[0] === undefined || !odds.has('outer') ? undefined : field(outer[0]);
      return around === undefined || around.startsWith('(') ? field(kind) : around === 'this' ? '..' : `../${around}`;
    }
    case 4:
    case 5: {
      const some = oddValues(odds);
      return some.length === 0 ? field(kind) : oneOf(g, some);
    }
    case 6:
      return `(toUpper ${ownFields(kind, new Set())[0]})`;
    default:
      return field(kind);
  }
}

function effect(g: Generate, place: Place): string {
  const effects = oddEffects(place.odds);
  return effects.length === 0 ? print(g, place) : oneOf(g, effects).replaceAll('VALUE', value(g, place));
}
