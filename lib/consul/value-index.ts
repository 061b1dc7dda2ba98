/** An index of the last value of a watch, made again only for another value: a judgement looks up each master. */
export class ValueIndex<T> {
  readonly #keysOf: (item: T) => readonly string[];
  #items: readonly T[] | undefined;
  #found: ReadonlyMap<string, readonly T[]> = new Map();

  constructor(keysOf: (item: T) => readonly string[]) {
    this.#keysOf = keysOf;
  }

  of(items: readonly T[] | undefined): ReadonlyMap<string, readonly T[]> {
    if (items === this.#items) return this.#found;
    const found = new Map<string, T[]>();
    for (const item of items ?? []) {
      for (const key of this.#keysOf(item)) {
        const list = found.get(key);
        if (list === undefined) found.set(key, [item]);
        else list.push(item);
      }
    }
    [this.#items, this.#found] = [items, found];
    return found;
  }
}
