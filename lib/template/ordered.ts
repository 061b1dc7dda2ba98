/*
 * Objects whose fields come in the order of their names, as Go's maps do. JavaScript itself puts names such as `9` first, and in
 * the order of numbers.
 */
const byName = new WeakSet<object>();

/** An object whose fields templates see in the order of their names, as texts. */
export function sortedObject(entries: Iterable<readonly [string, unknown]>): Readonly<Record<string, unknown>> {
  // Any name is just a name: `__proto__` is a field too.
  const object = Object.fromEntries([...entries].sort(([a], [b]) => compareText(a, b)));
  byName.add(object);
  return object;
}

export function entriesOf(value: object): readonly (readonly [string, unknown])[] {
  const entries = Object.entries(value);
  return byName.has(value) ? entries.sort(([a], [b]) => compareText(a, b)) : entries;
}

/** In the order of the bytes in UTF-8, as in Go. */
export function compareText(a: string, b: string): number {
  const surrogate = /[\ud800-\udfff]/;
  if (surrogate.test(a) || surrogate.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

/** An object with fields, and no list, number or other value. */
export function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
