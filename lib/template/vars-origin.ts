import { collectionHelpers } from './helpers-collections.ts';
import { conversionHelpers } from './helpers-conversions.ts';
import { logicHelpers } from './helpers-logic.ts';
import { numberHelpers } from './helpers-numbers.ts';
import { textHelpers } from './helpers-text.ts';

/*
 * Which printed values come from `vars` and from texts of the template alone, so from the operator. Found in the syntax tree,
 * because a text at render time does not show its origin. Where the tree does not show it, the value counts as Consul's.
 */

/** `root`: the template's whole context, whose field `vars` is the operator's. */
type Origin = 'root' | 'operator' | 'other';

/** Where a statement is. */
interface Place {
  readonly context: Origin;
  /** The contexts around it, for `../`. */
  readonly outer: readonly Origin[];
  /** Of `@key`. */
  readonly key: Origin;
  readonly blockParams: ReadonlyMap<string, Origin>;
}

interface Walk {
  readonly partials: ReadonlyMap<string, hbs.AST.Program>;
  /** The partials that were walked, with their context. */
  readonly walked: Set<string>;
  /** By the number of a print site: whether its value is the operator's each time. */
  readonly found: Map<number, boolean>;
}

/** Helpers whose result depends on their arguments alone. */
const computing = new Set([
  '$number',
  ...Object.keys({ ...textHelpers, ...numberHelpers, ...logicHelpers, ...collectionHelpers, ...conversionHelpers }),
]);

/** The numbers of the print sites whose values come from the operator. The trees are those that were checked. */
export function findOperatorSites(
  main: hbs.AST.Program,
  partials: ReadonlyMap<string, hbs.AST.Program>,
): ReadonlySet<number> {
  const walk: Walk = { partials, walked: new Set(), found: new Map() };
  visit(main, { context: 'root', outer: [], key: 'other', blockParams: new Map() }, walk);
  return new Set([...walk.found].flatMap(([site, isOperators]) => (isOperators ? [site] : [])));
}

function visit(program: hbs.AST.Program | undefined, place: Place, walk: Walk): void {
  for (const statement of program?.body ?? []) {
    if (statement.type === 'MustacheStatement') visitPrint(statement as hbs.AST.MustacheStatement, place, walk);
    if (statement.type === 'BlockStatement') visitBlock(statement as hbs.AST.BlockStatement, place, walk);
    if (statement.type === 'PartialStatement') visitPartial(statement as hbs.AST.PartialStatement, place, walk);
  }
}

function visitPrint({ params, hash }: hbs.AST.MustacheStatement, place: Place, { found }: Walk): void {
  const site = hash.pairs.find(({ key }) => key === '$site')?.value as hbs.AST.NumberLiteral | undefined;
  if (site === undefined) return;
  found.set(site.value, isOperators(params[0], place) && found.get(site.value) !== false);
}

function visitBlock({ path, params, program, inverse }: hbs.AST.BlockStatement, place: Place, walk: Walk): void {
  visit(inverse, place, walk);
  const name = (path as hbs.AST.PathExpression).original;
  const names = program?.blockParams ?? [];
  if (name === 'if' || name === 'unless') {
    visit(program, { ...place, blockParams: withParams(place, names, 'other') }, walk);
    return;
  }
  const value = originOf(params[0], place);
  const context = name === 'with' || value === 'operator' ? value : 'other';
  const outer = [place.context, ...place.outer];
  const key = name === 'each' ? context : place.key;
  visit(program, { context, outer, key, blockParams: withParams(place, names, context) }, walk);
}

function withParams({ blockParams }: Place, names: readonly string[], origin: Origin): ReadonlyMap<string, Origin> {
  return new Map([...blockParams, ...names.map((name) => [name, origin] as const)]);
}

function visitPartial({ name, params, hash }: hbs.AST.PartialStatement, place: Place, walk: Walk): void {
  const partial = (name as hbs.AST.PathExpression).original;
  const given = params[0] === undefined ? place.context : originOf(params[0], place);
  const context = (hash?.pairs ?? []).every(({ value }) => isOperators(value, place)) ? given : 'other';
  const state = `${context} ${place.key} ${partial}`;
  if (walk.walked.has(state)) return;
  walk.walked.add(state);
  visit(walk.partials.get(partial), { context, outer: [], key: place.key, blockParams: new Map() }, walk);
}

function isOperators(node: hbs.AST.Expression | undefined, place: Place): boolean {
  return originOf(node, place) === 'operator';
}

function originOf(node: hbs.AST.Expression | undefined, place: Place): Origin {
  if (node === undefined) return 'other';
  if (node.type.endsWith('Literal')) return 'operator';
  if (node.type === 'PathExpression') return originOfPath(node as hbs.AST.PathExpression, place);
  const { path, params, hash } = node as hbs.AST.SubExpression;
  if (!computing.has((path as hbs.AST.PathExpression).original) || params.length === 0) return 'other';
  const given = [...params, ...(hash?.pairs ?? []).map(({ value }) => value)];
  return given.every((one) => isOperators(one, place)) ? 'operator' : 'other';
}

function originOfPath({ data, depth, parts, original }: hbs.AST.PathExpression, place: Place): Origin {
  const [first = '', ...rest] = parts;
  if (data && depth > 0) return 'other';
  if (data) return first === 'root' ? fieldOf('root', rest) : first === 'key' ? place.key : 'other';
  if (depth === 0) {
    const param = /^(?:\.|this(?:[./]|$))/.test(original) ? undefined : place.blockParams.get(first);
    return param === undefined ? fieldOf(place.context, parts) : fieldOf(param, rest);
  }
  // Handlebars adds no level for a block whose context equals the one around it. So `..` may lead further out.
  const contexts = [place.context, ...place.outer].slice(depth);
  const isSure = contexts.length > 0 && contexts.every((context) => fieldOf(context, parts) === 'operator');
  return isSure ? 'operator' : 'other';
}

function fieldOf(origin: Origin, fields: readonly string[]): Origin {
  if (origin !== 'root' || fields.length === 0) return origin;
  return fields[0] === 'vars' ? 'operator' : 'other';
}
