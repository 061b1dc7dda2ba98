interface Wait {
  readonly pauseMs: number;
  readonly dueMs: number;
}

/**
 * When to ask a Sentinel again that did not answer the question about its masters in time: after `firstMs`, and after each further
 * failure twice as late, up to `mostMs`. Times are milliseconds of one clock.
 */
export class DiscoveryRetries<Member extends object> {
  readonly #pauses: { readonly firstMs: number; readonly mostMs: number };
  readonly #running = new WeakMap<Member, number>();
  readonly #waits = new WeakMap<Member, Wait>();

  constructor(pauses: { readonly firstMs: number; readonly mostMs: number }) {
    this.#pauses = pauses;
  }

  /** The questions are being asked. They can be asked twice at once: an event may be newer than the first answer. */
  began(member: Member): void {
    this.#running.set(member, this.#count(member) + 1);
  }

  ended(member: Member, end: { readonly answered: boolean; readonly nowMs: number }): void {
    this.#running.set(member, this.#count(member) - 1);
    if (end.answered) {
      this.#waits.delete(member);
      return;
    }
    const { firstMs, mostMs } = this.#pauses;
    const last = this.#waits.get(member);
    const pauseMs = Math.min(last === undefined ? firstMs : last.pauseMs * 2, mostMs);
    this.#waits.set(member, { pauseMs, dueMs: end.nowMs + pauseMs });
  }

  isRunning(member: Member): boolean {
    return this.#count(member) > 0;
  }

  /** Whether it did not answer the last question. */
  isUnanswered(member: Member): boolean {
    return this.#waits.has(member);
  }

  isDue(member: Member, nowMs: number): boolean {
    const wait = this.#waits.get(member);
    return wait !== undefined && nowMs >= wait.dueMs && !this.isRunning(member);
  }

  #count(member: Member): number {
    return this.#running.get(member) ?? 0;
  }
}
