/* Predicates for nodes of the syntax tree, and functions that make new nodes. */

export function isLiteral(node: hbs.AST.Expression | undefined): boolean {
  return node?.type === 'StringLiteral' || node?.type === 'NumberLiteral';
}

export function pathTo(name: string, loc: hbs.AST.SourceLocation): hbs.AST.PathExpression {
  return {
    type: 'PathExpression',
    data: false,
    depth: 0,
    parts: [name],
    original: name,
    loc,
  } as hbs.AST.PathExpression;
}

export function callWithText(name: string, text: string, loc: hbs.AST.SourceLocation): hbs.AST.SubExpression {
  const param = { type: 'StringLiteral', value: text, original: text, loc } as hbs.AST.StringLiteral;
  const hash = { type: 'Hash', pairs: [], loc } as hbs.AST.Hash;
  return { type: 'SubExpression', path: pathTo(name, loc), params: [param], hash, loc } as hbs.AST.SubExpression;
}

/** An expression for messages; calls without the details of their arguments. */
export function expressionText(node: { path: unknown; params: hbs.AST.Expression[] }): string {
  const name = String((node.path as { original?: unknown }).original ?? '');
  const params = node.params.map((param) => {
    if (param.type === 'SubExpression') return '(...)';
    const { original } = param as hbs.AST.PathExpression;
    return param.type === 'StringLiteral' ? JSON.stringify(original) : String(original);
  });
  return [name, ...params].join(' ');
}

export function describeCount(least: number, most: number): string {
  if (most === Number.POSITIVE_INFINITY) return `${least} or more arguments`;
  if (least === most) return least === 1 ? '1 argument' : `${least} arguments`;
  return `${least} to ${most} arguments`;
}
