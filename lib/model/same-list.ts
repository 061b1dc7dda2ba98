/** Whether two lists have the same values in the same order. Default: values that are the same objects or primitives. */
export function isSameList<T>(
  some: readonly T[],
  others: readonly T[],
  isSame: (a: T, b: T) => boolean = Object.is,
): boolean {
  if (some.length !== others.length) return false;
  for (let i = 0; i < some.length; i += 1) if (!isSame(some[i] as T, others[i] as T)) return false;
  return true;
}
