/** Whether a name in the config is a pattern: see {@link matchesAny}. */
export function isPattern(name: string): boolean {
  return /[*?]/.test(name);
}

/** By list: the patterns of the config are asked about every name, again and again. */
const compiled = new WeakMap<readonly string[], readonly RegExp[]>();

/**
 * True if any pattern matches the whole name. `*` matches any number of characters, `?` exactly one. The list must not change
 * after its first use.
 */
export function matchesAny(patterns: readonly string[], name: string): boolean {
  const expressions = compiled.get(patterns) ?? patterns.map(toExpression);
  compiled.set(patterns, expressions);
  return expressions.some((expression) => expression.test(name));
}

function toExpression(pattern: string): RegExp {
  const parts = pattern
    .split(/([*?])/)
    .map((part) => (part === '*' ? '.*' : part === '?' ? '.' : part.replace(/[\\^$.|+()[\]{}]/g, '\\$&')));
  return new RegExp(`^${parts.join('')}$`, 's');
}
