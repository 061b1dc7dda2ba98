/**
 * Gives equal values as one. Servers repeat the same addresses and ids in each answer, and a daemon keeps them in many places: of a
 * thousand masters, each as one object instead of twenty. Keeps the last values, at least `size` and at most twice as many.
 */
export class SharedValues<T extends NonNullable<unknown>> {
  readonly #size: number;
  #recent = new Map<string, T>();
  #former = new Map<string, T>();

  constructor(size: number) {
    this.#size = size;
  }

  /** The value of `key`: the kept one, else what `make` returns. */
  get(key: string, make: () => T): T {
    const recent = this.#recent.get(key);
    if (recent !== undefined) return recent;
    const value = this.#former.get(key) ?? make();
    if (this.#recent.size >= this.#size) {
      this.#former = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(key, value);
    return value;
  }
}
