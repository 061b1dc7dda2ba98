/** The other work waits at most so long: the work that goes first may hang. */
const defaultLongestWaitMs = 50;

/**
 * Lets one kind of work go before another one. After a transaction, Consul answers every watch that it concerns, often
 * before the transaction itself, and a failover would wait until those answers are parsed and compared.
 */
export class Precedence {
  readonly #longestWaitMs: number;
  readonly #hold: () => () => void;
  /** Work that goes first: at most `longestWaitMs` each, even if it lasts longer. */
  #underWay = 0;
  readonly #waiting = new Set<() => void>();

  /** `hold`: holds back what the other work needs, and returns the function that ends this. Called for each work that goes first. */
  constructor(options: { readonly longestWaitMs?: number; readonly hold?: () => () => void } = {}) {
    this.#longestWaitMs = options.longestWaitMs ?? defaultLongestWaitMs;
    this.#hold = options.hold ?? (() => () => undefined);
  }

  /** Does work that goes first. */
  async first<T>(work: () => Promise<T>): Promise<T> {
    const end = this.#begin();
    try {
      return await work();
    } finally {
      // What follows the work goes first as well.
      setImmediate(end);
    }
  }

  /** Resolves when no such work is under way, and after `longestWaitMs` at the latest. */
  async after(): Promise<void> {
    if (this.#underWay === 0) return;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(end);
        resolve();
      };
      const timer = setTimeout(end, this.#longestWaitMs);
      this.#waiting.add(end);
    });
  }

  /** The returned function ends it, unless it was too long. */
  #begin(): () => void {
    const release = this.#hold();
    this.#underWay += 1;
    void this.after().then(release);
    let isUnderWay = true;
    const end = (): void => {
      clearTimeout(timer);
      if (!isUnderWay) return;
      isUnderWay = false;
      this.#underWay -= 1;
      if (this.#underWay === 0) for (const resolve of this.#waiting) resolve();
    };
    const timer = setTimeout(end, this.#longestWaitMs);
    return end;
  }
}
