import type { ConnectResult } from '../../lib/model/crash-proof.ts';

/** Between two attempts of the prober to connect. */
export const probeEveryMs = 4;

/** Two attempts that are farther apart show nothing about the time between them. */
export const longestGapMs = 3 * probeEveryMs;

/** In milliseconds since the epoch. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** When nobody listened at an address. */
export interface Silences {
  /** Nobody listened all the time: each attempt was refused, and none was far from the next one. */
  readonly certain: readonly Span[];
  /** Nobody may have listened: no attempt was accepted. With each certain one, and with the times in which the prober stood still. */
  readonly possible: readonly Span[];
}

export interface Attempt {
  readonly beganMs: number;
  readonly endedMs: number;
  readonly answer: ConnectResult;
}

/** What a series of attempts shows, from `sinceMs` on. Add them in order. */
export class SilenceRecord {
  readonly #certain: Span[] = [];
  readonly #possible: Span[] = [];
  /** An accepted attempt was accepted at some moment between its beginning and its end. */
  #acceptedMs: number;
  #refused: { readonly fromMs: number; readonly beganMs: number; readonly endedMs: number } | undefined;

  constructor(sinceMs: number) {
    this.#acceptedMs = sinceMs;
  }

  add({ beganMs, endedMs, answer }: Attempt): void {
    if (answer === 'accepted') {
      this.#endRefusals();
      this.#addPossible(endedMs);
      this.#acceptedMs = beganMs;
      return;
    }
    const isFar = endedMs - (this.#refused?.endedMs ?? beganMs) > longestGapMs;
    if (answer !== 'refused' || isFar) this.#endRefusals();
    if (answer === 'refused') this.#refused = { fromMs: this.#refused?.fromMs ?? endedMs, beganMs, endedMs };
  }

  /** What it shows until `untilMs`. */
  end(untilMs: number): Silences {
    this.#endRefusals();
    this.#addPossible(untilMs);
    return { certain: this.#certain, possible: this.#possible };
  }

  #endRefusals(): void {
    if (this.#refused !== undefined && this.#refused.beganMs > this.#refused.fromMs)
      this.#certain.push({ fromMs: this.#refused.fromMs, toMs: this.#refused.beganMs });
    this.#refused = undefined;
  }

  #addPossible(toMs: number): void {
    if (toMs - this.#acceptedMs > longestGapMs) this.#possible.push({ fromMs: this.#acceptedMs, toMs });
  }
}
