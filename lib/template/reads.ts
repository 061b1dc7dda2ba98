import type { ConsulQuery } from '../model/query.ts';
import { queryId } from '../model/query.ts';
import type { PrintSite } from './format.ts';
import { type HelperCall, type HelperDefinition, noBlock } from './helper.ts';
import { readers } from './helpers.ts';
import { contextOf, RenderScope, type RenderWorld } from './scope.ts';

/*
 * Everything that a template may read, from its checked syntax tree alone. (A render only reaches the branches that its data
 * selects.) Literal names, and names made from `vars`, the environment and helpers that read nothing, are known. Any other
 * name is computed from data, and is unknown before a render.
 */

/** In place of a computed name. */
export const computedName = 'NAME';

interface ComputedRead {
  readonly site: PrintSite;
  /** With {@link computedName} in place of computed names. */
  readonly queries: readonly ConsulQuery[];
}

export interface TemplateReads {
  readonly queries: readonly ConsulQuery[];
  readonly computed: readonly ComputedRead[];
}

/** `programs` as they were checked: every call is a SubExpression that carries its site. */
export function findReads(
  programs: readonly hbs.AST.Program[],
  given: {
    readonly sites: readonly PrintSite[];
    readonly helpers: Readonly<Record<string, HelperDefinition>>;
    readonly world: RenderWorld;
  },
): TemplateReads {
  const queries = new Map<string, ConsulQuery>();
  const computed: ComputedRead[] = [];
  for (const call of programs.flatMap(callsIn)) {
    const helper = readers[nameOf(call)];
    const site = given.sites[siteOf(call)];
    if (helper === undefined || site === undefined) continue;
    const args = call.params.map((param) => evaluate(param, given)?.value ?? computedName);
    const asked = queriesOf(helper, { args, options: optionsOf(call, given), world: given.world });
    const unknown = asked.filter((query) => JSON.stringify(query).includes(computedName));
    for (const query of asked) if (!unknown.includes(query)) queries.set(queryId(query), query);
    if (unknown.length > 0) computed.push({ site, queries: unknown });
  }
  return { queries: [...queries.values()], computed };
}

function queriesOf(
  helper: HelperDefinition,
  given: Pick<HelperCall, 'args' | 'options'> & { readonly world: RenderWorld },
): readonly ConsulQuery[] {
  const { args, options, world } = given;
  const scope = new RenderScope(world);
  try {
    helper.run({ args, options, scope, block: noBlock });
  } catch {
    // Only the query counts, not its result.
  }
  return [...scope.dependencies.values()];
}

function optionsOf(call: hbs.AST.SubExpression, given: Parameters<typeof evaluate>[1]): HelperCall['options'] {
  const pairs = (call.hash?.pairs ?? []).filter(({ key }) => key !== '$site');
  return Object.fromEntries(pairs.map(({ key, value }) => [key, evaluate(value, given)?.value ?? computedName]));
}

/** undefined if it depends on data. */
function evaluate(
  node: hbs.AST.Expression,
  given: { readonly helpers: Readonly<Record<string, HelperDefinition>>; readonly world: RenderWorld },
): { readonly value: unknown } | undefined {
  switch (node.type) {
    case 'StringLiteral':
    case 'NumberLiteral':
    case 'BooleanLiteral':
      return { value: (node as hbs.AST.StringLiteral).value };
    case 'PathExpression':
      return settingAt(node as hbs.AST.PathExpression, given.world);
    case 'SubExpression': {
      const call = node as hbs.AST.SubExpression;
      const helper = given.helpers[nameOf(call)];
      const args = call.params.map((param) => evaluate(param, given));
      if (helper === undefined || readers[nameOf(call)] !== undefined || args.includes(undefined)) return undefined;
      return resultOf(helper, { args: args.map((arg) => arg?.value), world: given.world });
    }
    default:
      return undefined;
  }
}

function resultOf(
  helper: HelperDefinition,
  { args, world }: { readonly args: readonly unknown[]; readonly world: RenderWorld },
): { readonly value: unknown } | undefined {
  const scope = new RenderScope(world);
  try {
    const value = helper.run({ args, options: {}, scope, block: noBlock });
    return value === undefined || scope.files.size > 0 || scope.time === 'read' ? undefined : { value };
  } catch {
    return undefined;
  }
}

/** `vars.x`, `@root.vars.x`, `environment`. */
function settingAt({ parts }: hbs.AST.PathExpression, world: RenderWorld): { readonly value: unknown } | undefined {
  const [first, ...rest] = parts[0] === 'root' ? parts.slice(1) : parts;
  if (first !== 'vars' && first !== 'environment') return undefined;
  let value: unknown = contextOf(world)[first];
  for (const part of rest) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value === undefined ? undefined : { value };
}

function callsIn(node: unknown): readonly hbs.AST.SubExpression[] {
  if (Array.isArray(node)) return node.flatMap(callsIn);
  if (typeof node !== 'object' || node === null) return [];
  const { loc: _, ...fields } = node as Record<string, unknown>;
  const within = Object.values(fields).flatMap(callsIn);
  return fields.type === 'SubExpression' ? [node as hbs.AST.SubExpression, ...within] : within;
}

function nameOf(call: hbs.AST.SubExpression): string {
  return (call.path as hbs.AST.PathExpression).original;
}

function siteOf(call: hbs.AST.SubExpression): number {
  const pair = call.hash?.pairs.find(({ key }) => key === '$site');
  return pair === undefined ? -1 : Number((pair.value as hbs.AST.NumberLiteral).value);
}
