/** The last result of a computation, for as long as the objects that it was made of are the same ones. */
export class Memo<T> {
  #last: { readonly of: readonly unknown[]; readonly result: T } | undefined;

  get(of: readonly unknown[], compute: () => T): T {
    const last = this.#last;
    if (last !== undefined && last.of.length === of.length && last.of.every((one, i) => one === of[i]))
      return last.result;
    const result = compute();
    this.#last = { of, result };
    return result;
  }
}
