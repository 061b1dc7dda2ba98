/** Answers wait at most so long: the work that goes first may hang. */
const defaultLongestWaitMs = 50;

/**
 * Lets one kind of work go before another one. After a transaction, Consul answers every watch that it concerns, often
 * before the transaction itself, and a failover would wait until those answers are parsed and compared.
 */
export class Precedence {
  readonly #longestWaitMs: number;
  readonly #hold: () => () => void;
  #underWay = 0;
  #waiting: (() => void)[] = [];

  /** `hold`: holds back what the other work needs, and returns the function that ends this. Called for each work that goes first. */
  constructor(options: { readonly longestWaitMs?: number; readonly hold?: () => () => void } = {}) {
    this.#longestWaitMs = options.longestWaitMs ?? defaultLongestWaitMs;
    this.#hold = options.hold ?? (() => () => undefined);
  }

  /** Does work that goes first. */
  async first<T>(work: () => Promise<T>): Promise<T> {
    this.#underWay += 1;
    const release = this.#hold();
    void this.after().then(release);
    try {
      return await work();
    } finally {
      this.#underWay -= 1;
      // What follows the work goes first as well.
      setImmediate(() => this.#release());
    }
  }

  /** Resolves when no such work is under way, and after `longestWaitMs` at the latest. */
  async after(): Promise<void> {
    if (this.#underWay === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#longestWaitMs);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #release(): void {
    if (this.#underWay > 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
