import { normalize } from 'node:path';

/**
 * Why a call of `file` reads the file that the output goes to; undefined if it does not, or computes its path. The content would
 * depend on what it was before, and each change would cause another one.
 */
export function describeOwnOutput(
  { params: [path] }: { readonly params: readonly hbs.AST.Expression[] },
  output: string | undefined,
): string | undefined {
  if (path?.type !== 'StringLiteral' || output === undefined) return undefined;
  const { value } = path as hbs.AST.StringLiteral;
  return normalize(value) === output ? `"${value}" is the destination of this template: read another file` : undefined;
}
