/**
 * Does the works of one key one after the other. A run that was interrupted does not wait for the end of its work, but the next
 * work of that key does.
 */
export class InOrder {
  readonly #last = new Map<string, Promise<void>>();

  run(key: string, work: () => Promise<void>): Promise<void> {
    const before = this.#last.get(key);
    const own = before === undefined ? work() : before.catch(() => undefined).then(work);
    this.#last.set(key, own);
    const forget = () => {
      if (this.#last.get(key) === own) this.#last.delete(key);
    };
    void own.then(forget, forget);
    return own;
  }
}
