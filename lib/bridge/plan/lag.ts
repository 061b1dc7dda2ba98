import type { Lag } from '../../model/lag.ts';

/** How far a master and its replicas had got at one moment: bytes of the replication stream. */
export interface LagSample {
  /** When it was asked for: whatever the answers say was so then, or later. Milliseconds of performance.now(). */
  readonly atMs: number;
  readonly master: number;
  /** By address, and only of those whose link to a master was up. */
  readonly replicas: ReadonlyMap<string, number>;
}

/** Five minutes at one a second. What a replica lags by more than that is not told. */
const maxSamples = 300;
/** Bytes say nothing of what came after them: an older sample's are not told. */
const maxBytesAgeMs = 6_000;

/**
 * The last samples of one master. How long a replica is behind is read from the master's own past: it has everything
 * that the master had when the newest sample was taken that it has reached. So this rises by itself while nobody
 * answers, and clocks of other machines do not matter.
 */
export class LagHistory {
  readonly #samples: LagSample[] = [];

  add(sample: LagSample): void {
    const last = this.#samples.at(-1);
    // A master's offset never falls: one that did is another one's, or was emptied.
    if (last !== undefined && sample.master < last.master) this.#samples.length = 0;
    this.#samples.push(sample);
    if (this.#samples.length > maxSamples) this.#samples.shift();
  }

  /** undefined where it is not known. */
  lag(address: string, nowMs: number): Lag | undefined {
    const newest = this.#samples.at(-1);
    const offset = newest?.replicas.get(address);
    if (newest === undefined || offset === undefined) return undefined;
    const reached = this.#samples.findLast(({ master }) => master <= offset);
    const bytes = nowMs - newest.atMs > maxBytesAgeMs ? null : Math.max(0, newest.master - offset);
    return { bytes, behindMs: reached === undefined ? null : Math.max(0, Math.round(nowMs - reached.atMs)) };
  }
}
