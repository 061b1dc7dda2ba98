const firstPauseMs = 50;
const longestPauseMs = 1_000;
/** A connection that ends sooner was of no use. */
const lastingMs = 1_000;
const failuresBeforeFlapping = 3;

/**
 * How soon a connection is opened again. A server without room for a client accepts its connection and closes it: such a
 * connection counts as a failure, and not as a success that begins the pauses again.
 */
export class ReconnectPace {
  #failures = 0;
  #shortLived = 0;
  #openedMs: number | undefined;

  /** Whether the last connections ended right after they were opened. To connect sooner than the pace says helps nothing then. */
  get isFlapping(): boolean {
    return this.#shortLived >= failuresBeforeFlapping;
  }

  opened(): void {
    this.#openedMs = performance.now();
  }

  /** To be called after each end of a connection, and each attempt that failed. The pause grows, with jitter. */
  nextMs(): number {
    const lasted = this.#openedMs !== undefined && performance.now() - this.#openedMs >= lastingMs;
    if (lasted) this.#failures = 0;
    this.#shortLived = this.#openedMs === undefined || lasted ? 0 : this.#shortLived + 1;
    this.#openedMs = undefined;
    const pauseMs = Math.min(firstPauseMs * 2 ** Math.min(this.#failures, 10), longestPauseMs);
    this.#failures += 1;
    return pauseMs * (0.5 + Math.random());
  }
}
