import { performance } from 'node:perf_hooks';

/** The right to a place of a semaphore, taken and given back any number of times. */
export interface Permit {
  /**
   * Resolves when a place is held. `waited`: all were taken at first, so what was read before is old. Rejects if `signal` is aborted, or
   * by {@link Semaphore.rejectWaiting}.
   */
  enter(signal?: AbortSignal): Promise<'at-once' | 'waited'>;
  /** Whether a place is held now. Does not wait for one. */
  tryEnter(): boolean;
  leave(): void;
  /** Whether others wait for a place. */
  readonly isWaitedFor: boolean;
}

interface Waiting {
  readonly rank: () => number;
  readonly begin: () => void;
  readonly fail: (reason: unknown) => void;
}

export interface SemaphoreOptions {
  /** How many there are now. */
  readonly places: () => number;
  /** The least time from one that is given to the next. Default: none. */
  readonly everyMs?: () => number;
}

/** Lets a few at a time do something, in the order in which they come. */
export class Semaphore {
  readonly #places: () => number;
  readonly #everyMs: () => number;
  #taken = 0;
  readonly #waiting = new Set<Waiting>();
  /** When the next place may be given, in milliseconds of `performance.now()`. */
  #nextMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor({ places, everyMs = () => 0 }: SemaphoreOptions) {
    this.#places = places;
    this.#everyMs = everyMs;
  }

  /** `rank`: the lowest goes first of those that wait. Asked when a place is given. Default: all are equal. */
  permit(rank: () => number = () => 0): Permit {
    let isHeld = false;
    const semaphore = this;
    const tryEnter = () => {
      if (isHeld || semaphore.#waiting.size > 0 || semaphore.#restMs > 0) return isHeld;
      semaphore.#take();
      isHeld = true;
      return true;
    };
    return {
      tryEnter,
      async enter(signal) {
        if (isHeld) return 'at-once';
        signal?.throwIfAborted();
        if (tryEnter()) return 'at-once';
        await semaphore.#wait(rank, signal);
        isHeld = true;
        return 'waited';
      },
      leave() {
        if (!isHeld) return;
        isHeld = false;
        semaphore.#taken -= 1;
        semaphore.#give();
      },
      get isWaitedFor() {
        return semaphore.#waiting.size > 0;
      },
    };
  }

  /** Those that wait get no place. */
  rejectWaiting(reason: unknown): void {
    const failing = [...this.#waiting];
    this.#waiting.clear();
    for (const { fail } of failing) fail(reason);
  }

  /** Until a place can be given; Infinity while all are taken. */
  get #restMs(): number {
    if (this.#taken >= this.#places()) return Number.POSITIVE_INFINITY;
    return Math.max(0, this.#nextMs - performance.now());
  }

  #take(): void {
    this.#taken += 1;
    this.#nextMs = performance.now() + this.#everyMs();
  }

  async #wait(rank: () => number, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting: Waiting = { rank, begin: resolve, fail: reject };
    // One that has been given a place meanwhile keeps it.
    const onAbort = (): void => {
      if (this.#waiting.delete(waiting)) reject(signal?.reason);
    };
    this.#waiting.add(waiting);
    this.#give();
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      await promise;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** There may be more or fewer places than before. */
  #give(): void {
    clearTimeout(this.#timer);
    while (this.#waiting.size > 0) {
      const restMs = this.#restMs;
      if (restMs > 0) {
        if (restMs < Number.POSITIVE_INFINITY) this.#timer = setTimeout(() => this.#give(), restMs);
        return;
      }
      this.#begin(this.#next());
    }
  }

  /** Of those with the lowest rank, the one that has waited the longest. */
  #next(): Waiting | undefined {
    let [lowest, next]: [number, Waiting | undefined] = [Number.POSITIVE_INFINITY, undefined];
    for (const one of this.#waiting) {
      const rank = one.rank();
      if (rank < lowest) [lowest, next] = [rank, one];
    }
    return next;
  }

  #begin(next: Waiting | undefined): void {
    if (next === undefined) return;
    this.#waiting.delete(next);
    this.#take();
    next.begin();
  }
}
