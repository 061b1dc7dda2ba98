import type { TemplateFormat } from './format.ts';

/*
 * Loops whose passes depend on nothing but their item, and the answers of Consul that they read: a pass with the same item and the
 * same answers writes the same text. They are found in the checked syntax tree, where each call has the number of its place.
 */

/**
 * Helpers whose result depends on nothing but their arguments and answers of Consul, and that change nothing. Not those that write or
 * read what others have written, nor those that read secrets, the time, or whether anything is missing.
 */
export const separableHelpers: ReadonlySet<string> = new Set(
  `if unless with each
  service connect key keyOrDefault keyExists keyBase64 ls tree
  default lookup index eq ne and or not length len slice in contains containsAll containsAny containsNone containsNotAll parseBool
  add subtract multiply divide modulo minimum maximum lt le gt ge parseInt parseUint parseFloat loop
  toLower toUpper toTitle trim trimSpace trimPrefix trimSuffix replaceAll regexMatch regexReplaceAll split splitToMap startsWith
  endsWith base64Encode base64Decode base64URLEncode base64URLDecode sha256 sha256Hex md5sum hmacSHA256Hex urlquery sectionName
  wordName envName join words byTag byPort byMeta byKey explode explodeMap mergeMap mergeMapWithOverride
  toJSON toJSONPretty toUnescapedJSON toUnescapedJSONPretty toYAML toTOML indent printf print raw`.split(/\s+/),
);

/** What the check of the syntax makes of prints and of numbers. */
const inserted = new Set(['$print', '$number']);

/** Formats whose writers know where a line begins (format.ts). */
const formats: ReadonlySet<TemplateFormat> = new Set<TemplateFormat>(['haproxy', 'redis', 'conf', 'text']);

const literals = new Set([
  ...['ContentStatement', 'CommentStatement', 'StringLiteral', 'NumberLiteral', 'BooleanLiteral'],
  ...['UndefinedLiteral', 'NullLiteral'],
]);

type Names = ReadonlySet<string>;

interface Programs {
  readonly main: hbs.AST.Program;
  readonly partials: readonly hbs.AST.Program[];
}

/** The numbers of the places of these loops. */
export function findSeparable(format: TemplateFormat, { main, partials }: Programs): ReadonlySet<number> {
  const found = new Set<number>();
  if (!formats.has(format)) return found;
  // Handlebars indents the lines of such a partial, so that the text of a pass depends on where the partial is included.
  const isIndented = [main, ...partials].some(indentsPartials);
  for (const program of isIndented ? [main] : [main, ...partials]) collect(program, { names: new Set(), found });
  return found;
}

function indentsPartials(program: hbs.AST.Program | undefined): boolean {
  return (program?.body ?? []).some((statement) => {
    if (statement.type === 'PartialStatement') return Boolean((statement as hbs.AST.PartialStatement).indent);
    if (statement.type !== 'BlockStatement') return false;
    const { program: within, inverse } = statement as hbs.AST.BlockStatement;
    return indentsPartials(within) || indentsPartials(inverse);
  });
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
      const { original } = path as hbs.AST.PathExpression;
      const isPure = separableHelpers.has(original) || inserted.has(original);
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
