import { helpers } from '../../template/helpers.ts';
import { elementOf, isSameShape, type Shape } from './shapes.ts';

/* The functions of consul-template and of Go's templates that helpers of the same names replace. */

type ResultShape = (args: readonly Shape[]) => Shape;

const always =
  (shape: Shape): ResultShape =>
  () =>
    shape;
const ofLast: ResultShape = (args) => args.at(-1) ?? 'unknown';
const grouped: ResultShape = (args) => ({ map: ofLast(args) });
const instances = always({ list: { record: 'instance' } });
const pairs = always({ list: { record: 'pair' } });

/** What functions give. The others give a text, a number or a boolean. */
const results: Readonly<Record<string, ResultShape>> = {
  service: instances,
  connect: instances,
  services: always({ list: { record: 'catalogService' } }),
  node: always({ record: 'nodeAndServices' }),
  nodes: always({ list: { record: 'node' } }),
  ls: pairs,
  tree: pairs,
  safeLs: pairs,
  safeTree: pairs,
  datacenters: always({ list: 'plain' }),
  peerings: always({ list: { record: 'peering' } }),
  caRoots: always({ list: { record: 'root' } }),
  caLeaf: always({ record: 'leaf' }),
  byTag: grouped,
  byMeta: grouped,
  byPort: grouped,
  byKey: (args) => ({ map: { map: elementOf(ofLast(args)) ?? 'unknown' } }),
  explode: always('data'),
  explodeMap: always('data'),
  mergeMap: always('data'),
  mergeMapWithOverride: always('data'),
  parseJSON: always('data'),
  parseYAML: always('data'),
  splitToMap: always({ map: 'plain' }),
  split: always({ list: 'plain' }),
  loop: always({ list: 'plain' }),
  index: ([first = 'unknown', ...path]) => path.reduce<Shape>((shape) => elementOf(shape) ?? 'unknown', first),
  slice: ([first = 'unknown']) => first,
  and: oneOf,
  or: oneOf,
  'scratch.Get': always('unknown'),
  'scratch.MapValues': always({ list: 'unknown' }),
};

function oneOf(args: readonly Shape[]): Shape {
  const [first = 'unknown', ...others] = args;
  return others.every((shape) => isSameShape(shape, first)) ? first : 'unknown';
}

/** Helpers that consul-template does not have. */
const native =
  /^(?:redis.*|if|unless|each|with|default|lookup|words|length|raw|haproxyDefaults|keyBase64|sha256|startsWith|endsWith|.*Name)$/;

/** Whether a helper of this name does what the function does. */
export function isKnownFunction(name: string): boolean {
  return Object.hasOwn(helpers, name) && !native.test(name);
}

export function isHelper(name: string): boolean {
  return Object.hasOwn(helpers, name);
}

export function takesSubjectLast(name: string): boolean {
  return isHelper(name) && helpers[name]?.order === 'subject-last';
}

export function resultOf(name: string, args: readonly Shape[]): Shape {
  return Object.hasOwn(results, name) ? (results[name]?.(args) ?? 'plain') : 'plain';
}

/** Functions whose result may have several lines, which most formats take from `raw` alone. */
export const severalLines: ReadonlySet<string> = new Set([
  'file',
  'indent',
  'toJSONPretty',
  'toTOML',
  'toUnescapedJSONPretty',
  'toYAML',
]);

/** Functions that write whole objects, with the names of their fields. */
export const writers: ReadonlySet<string> = new Set([
  'toJSON',
  'toJSONPretty',
  'toUnescapedJSON',
  'toUnescapedJSONPretty',
  'toYAML',
  'toTOML',
  'printf',
  'print',
]);

/** Functions that fail for some values, which Go does not call if an earlier argument of `and` or `or` decides. */
export const mayFail =
  /\((?:index|slice|key|parse\w+|divide|modulo|mustEnv|file|base64\w+|byMeta|in|contains\w*|safe\w+|explode\w*|mergeMap\w*)[ )]/;
