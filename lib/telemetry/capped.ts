const maxTextLength = 4_096;
const maxItems = 100;
const maxDepth = 8;

/**
 * Copies a value as plain data of bounded size. The copy cuts long texts, long lists and deep trees, and marks the cuts.
 */
export function capped(value: unknown, depth = 0): unknown {
  switch (typeof value) {
    case 'string':
      return value.length <= maxTextLength ? value : `${value.slice(0, maxTextLength)}... (${value.length} characters)`;
    case 'bigint':
      return value.toString();
    case 'number':
      return Number.isFinite(value) ? value : null;
    case 'boolean':
      return value;
    case 'object':
      return value === null ? null : cappedObject(value, depth);
    default:
      return null;
  }
}

function cappedObject(value: object, depth: number): unknown {
  if (depth >= maxDepth) return '...';
  if ('toJSON' in value && typeof value.toJSON === 'function') return capped(value.toJSON(), depth + 1);
  if (value instanceof Error) return capped(value.message);
  if (value instanceof Map) return cappedObject(Object.fromEntries(value), depth);
  if (value instanceof Set) return cappedObject([...value], depth);
  if (Array.isArray(value)) {
    const items = value.slice(0, maxItems).map((item) => capped(item, depth + 1));
    return value.length <= maxItems ? items : [...items, `... (${value.length} items)`];
  }
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  const kept = entries.slice(0, maxItems).map(([key, inner]) => [key, capped(inner, depth + 1)]);
  return Object.fromEntries(entries.length <= maxItems ? kept : [...kept, ['...', `${entries.length} keys`]]);
}
