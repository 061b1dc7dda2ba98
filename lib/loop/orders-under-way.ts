/** How the orders of a part end when it stops. */
export interface OrderEnds {
  /** Aborted at once: an order that has changed nothing yet does not begin. */
  readonly waiting: AbortSignal;
  /** Aborted when the others have had their time: they undo what they can. */
  readonly all: AbortSignal;
}

export const whyOrdersEnd = 'the daemon stops, or reads its config again';

/** What it costs to undo an order comes after it. */
const finishingShare = 3 / 4;
/** An order that nobody can call back is followed for a moment longer than the stop allows. */
const longestUndoMs = 3_000;

/** The orders of an operator that a part carries out. They need everything that the part closes when it stops. */
export class OrdersUnderWay {
  readonly #waiting = new AbortController();
  readonly #all = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  readonly ends: OrderEnds = { waiting: this.#waiting.signal, all: this.#all.signal };

  async carryOut<T>(order: () => Promise<T>): Promise<T> {
    const running = order();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Lets those that have begun finish within `graceMs`. Resolves when all have ended, or should have. */
  async stop({ graceMs }: { readonly graceMs: number }): Promise<void> {
    this.#waiting.abort();
    const { promise: over, resolve: giveUp } = Promise.withResolvers<void>();
    const timers = [
      setTimeout(() => this.#all.abort(), graceMs * finishingShare),
      setTimeout(giveUp, graceMs + longestUndoMs),
    ];
    await Promise.race([Promise.allSettled(this.#running), over]);
    for (const timer of timers) clearTimeout(timer);
  }
}
