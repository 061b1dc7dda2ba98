import { logicHelpers } from './helpers-logic.ts';
import { numberHelpers } from './helpers-numbers.ts';
import { textHelpers } from './helpers-text.ts';

/*
 * Loops whose passes depend on nothing but their item, and the answers of Consul that they read: a pass with the same item and the
 * same answers writes the same text. They are found in the checked syntax tree, where each call has the number of its place.
 */

/** Helpers whose result depends on their arguments and on answers of Consul, and that change nothing. */
const pure = new Set([
  ...['$print', '$number', 'if', 'unless', 'with', 'each', 'service'],
  ...[logicHelpers, numberHelpers, textHelpers].flatMap((some) => Object.keys(some)),
]);

const literals = new Set([
  ...['ContentStatement', 'CommentStatement', 'StringLiteral', 'NumberLiteral', 'BooleanLiteral'],
  ...['UndefinedLiteral', 'NullLiteral'],
]);

type Names = ReadonlySet<string>;

/** The numbers of the places of these loops. */
export function findSeparable(programs: readonly hbs.AST.Program[]): ReadonlySet<number> {
  const found = new Set<number>();
  for (const program of programs) collect(program, { names: new Set(), found });
  return found;
}

/** `names`: those that the blocks around a program give to values. */
function collect(
  program: hbs.AST.Program | undefined,
  { names, found }: { readonly names: Names; readonly found: Set<number> },
): void {
  if (program === undefined) return;
  const all = new Set([...names, ...(program.blockParams ?? [])]);
  for (const statement of program.body) {
    if (statement.type !== 'BlockStatement') continue;
    const block = statement as hbs.AST.BlockStatement;
    if (isSeparable(block, all)) found.add(placeOf(block));
    for (const within of [block.program, block.inverse]) collect(within, { names: all, found });
  }
}

/** A second name of a loop is that of the index. */
function isSeparable({ path, program }: hbs.AST.BlockStatement, names: Names): boolean {
  if ((path as hbs.AST.PathExpression).original !== 'each' || (program.blockParams ?? []).length > 1) return false;
  return isOwn(program, names);
}

/** Whether a node within a loop depends on nothing outside. `names`: those that values outside of the loop have. */
function isOwn(node: hbs.AST.Node | undefined, names: Names): boolean {
  if (node === undefined || literals.has(node.type)) return true;
  const areOwn = (nodes: readonly hbs.AST.Node[]) => nodes.every((one) => isOwn(one, names));
  switch (node.type) {
    case 'PathExpression': {
      const { data, depth, parts } = node as hbs.AST.PathExpression;
      return !data && depth === 0 && !names.has(String(parts[0]));
    }
    case 'Program': {
      const { body, blockParams = [] } = node as hbs.AST.Program;
      const outside = new Set([...names].filter((name) => !blockParams.includes(name)));
      return body.every((one) => isOwn(one, outside));
    }
    case 'Hash':
      return areOwn((node as hbs.AST.Hash).pairs.map(({ value }) => value));
    case 'MustacheStatement':
    case 'SubExpression':
    case 'BlockStatement': {
      const { path, params, hash, program, inverse } = node as hbs.AST.BlockStatement;
      const isPure = pure.has((path as hbs.AST.PathExpression).original);
      return isPure && areOwn(params) && isOwn(hash, names) && isOwn(program, names) && isOwn(inverse, names);
    }
    default:
      return false;
  }
}

function placeOf({ hash }: hbs.AST.BlockStatement): number {
  const pair = hash.pairs.find(({ key }) => key === '$site');
  return Number((pair?.value as hbs.AST.NumberLiteral | undefined)?.value ?? -1);
}
