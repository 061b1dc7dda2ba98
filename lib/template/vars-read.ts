/** Which of `vars` a template reads. `any`: it goes through all of them, or computes their names. */
export type VarsRead = { readonly kind: 'any' } | { readonly kind: 'named'; readonly names: ReadonlySet<string> };

/** What these calls read from a map without naming it in the template (pools.ts). */
const readByHelper: Readonly<Record<string, readonly string[]>> = { redisPools: ['pools', 'pool', 'listen'] };
/** Calls that make fields of `vars` the template's own names. */
const openers = new Set(['with', 'lookup', ...Object.keys(readByHelper)]);

interface Tally {
  /** Fields of `vars`. */
  readonly fields: Set<string>;
  /** Every name and text in the template. */
  readonly words: Set<string>;
  whole: 'never' | 'opened' | 'any';
}

/** Reads the names from the checked syntax trees of a template and its partials. */
export function findVars(programs: readonly hbs.AST.Program[]): VarsRead {
  const tally: Tally = { fields: new Set(), words: new Set(), whole: 'never' };
  for (const program of programs) visit(program, { call: '', tally });
  if (tally.whole === 'any') return { kind: 'any' };
  return { kind: 'named', names: tally.whole === 'opened' ? tally.words : tally.fields };
}

function visit(node: unknown, at: { readonly call: string; readonly tally: Tally }): void {
  if (Array.isArray(node)) {
    for (const item of node) visit(item, at);
    return;
  }
  if (typeof node !== 'object' || node === null) return;
  const { loc: _, path, ...fields } = node as Record<string, unknown> & { readonly type?: string };
  if (fields.type === 'StringLiteral') at.tally.words.add(String(fields.value));
  if (fields.type === 'PathExpression') notePath(node as hbs.AST.PathExpression, at);
  const call = calledBy(fields.type, path) ?? at.call;
  for (const word of readByHelper[call] ?? []) at.tally.words.add(word);
  visit(path, at);
  for (const field of Object.values(fields)) visit(field, { ...at, call });
}

/** The name of the helper whose arguments follow. */
function calledBy(type: string | undefined, path: unknown): string | undefined {
  if (type !== 'SubExpression' && type !== 'MustacheStatement' && type !== 'BlockStatement') return undefined;
  return (path as hbs.AST.PathExpression | undefined)?.original;
}

function notePath({ parts }: hbs.AST.PathExpression, { call, tally }: Parameters<typeof visit>[1]): void {
  for (const part of parts) tally.words.add(part);
  const at = parts[0] === 'root' ? 1 : 0;
  if (parts[at] !== 'vars') return;
  const field = parts[at + 1];
  if (field !== undefined) tally.fields.add(field);
  else if (openers.has(call)) tally.whole = tally.whole === 'any' ? 'any' : 'opened';
  else tally.whole = 'any';
}
