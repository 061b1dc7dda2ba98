const firstPauseMs = 50;
const longestPauseMs = 1_000;
/** A connection that ends sooner counts as a failure. */
const lastingMs = 1_000;
const failuresBeforeFlapping = 3;

/**
 * How soon a connection is opened again. A server without room for a client accepts the connection and closes it. Such a
 * connection counts as a failure, and not as a success after which the pauses begin again.
 */
export class ReconnectPace {
  #failures = 0;
  #shortLived = 0;
  #openedMs: number | undefined;

  /** Whether the last connections ended right after they were opened. Connecting sooner than this pace would not help. */
  get isFlapping(): boolean {
    return this.#shortLived >= failuresBeforeFlapping;
  }

  opened(): void {
    this.#openedMs = performance.now();
  }

  /** This side ends the connection, for example because a question got no answer. The other side did not refuse it. */
  gaveUp(): void {
    this.#openedMs = undefined;
  }

  /** Call it after each end of a connection, and after each attempt that failed. The pause grows, with jitter. */
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
