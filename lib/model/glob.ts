/** Whether a name in the config is a pattern: see {@link matchesAny}. */
export function isPattern(name: string): boolean {
  return /[*?]/.test(name);
}

/** True if any pattern matches the whole name. `*` matches any number of characters, `?` exactly one. */
export function matchesAny(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => toExpression(pattern).test(name));
}

function toExpression(pattern: string): RegExp {
  const parts = pattern
    .split(/([*?])/)
    .map((part) => (part === '*' ? '.*' : part === '?' ? '.' : part.replace(/[\\^$.|+()[\]{}]/g, '\\$&')));
  return new RegExp(`^${parts.join('')}$`, 's');
}
