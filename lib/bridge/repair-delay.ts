/**
 * How long a difference from Consul must last before this bridge corrects it. Another bridge may be about to correct it,
 * the watch may lag behind a write, and two bridges that see different Sentinels must not correct each other without end.
 * The wait is random for each difference, so that one bridge goes first. From the fourth time that this bridge corrects
 * the same difference, the wait doubles each time.
 */
export class RepairDelay {
  #difference: { readonly signature: string; readonly sinceMs: number; readonly delayMs: number } | undefined;
  #correction: { readonly signature: string; readonly times: number; readonly atMs: number } | undefined;
  readonly #random: () => number;

  /** `random` returns numbers from 0 up to 1, as Math.random does. */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** How many milliseconds are left; 0 or less when the difference may be corrected. */
  leftMs(signature: string, nowMs: number): number {
    if (this.#difference?.signature !== signature) {
      const delayMs = (300 + this.#random() * 700) * 2 ** this.#doublings(signature, nowMs);
      this.#difference = { signature, sinceMs: nowMs, delayMs };
    }
    return this.#difference.sinceMs + this.#difference.delayMs - nowMs;
  }

  /** Nothing differs any more. */
  settled(): void {
    this.#difference = undefined;
  }

  /** This bridge has corrected the difference. */
  corrected(signature: string, nowMs: number): void {
    const times = this.#correction?.signature === signature ? this.#correction.times + 1 : 1;
    this.#correction = { signature, times, atMs: nowMs };
    this.settled();
  }

  #doublings(signature: string, nowMs: number): number {
    const { times, atMs } = this.#correction?.signature === signature ? this.#correction : { times: 0, atMs: nowMs };
    const exponent = Math.min(Math.max(0, times - 3), 8);
    return nowMs - atMs > forgetCorrectionMs * 2 ** exponent ? 0 : exponent;
  }
}

/** After this long without the same correction, the next one counts as the first. */
const forgetCorrectionMs = 10_000;
