import type { Lag } from '../../model/lag.ts';

/** The replication offsets of a master and its replicas at one moment, in bytes. */
export interface LagSample {
  /** When the bridge asked: the answers are from then or later. Milliseconds of `performance.now()`. */
  readonly atMs: number;
  readonly master: number;
  /** By address; only replicas whose link to a master was up. */
  readonly replicas: ReadonlyMap<string, number>;
}

/** Five minutes at one a second. A longer lag is unknown. */
const maxSamples = 300;
/** The bytes of an older sample no longer apply, so they are unknown. */
const maxBytesAgeMs = 6_000;

/**
 * The last samples of one master. The lag in time comes from the master's own past: a replica has everything that the
 * master had at the newest sample whose offset the replica has reached. So the lag rises while nothing answers, and the
 * clocks of other machines do not matter.
 */
export class LagHistory {
  readonly #samples: LagSample[] = [];

  add(sample: LagSample): void {
    const last = this.#samples.at(-1);
    // A master's offset never falls: a lower one means another master, or one that lost its data.
    if (last !== undefined && sample.master < last.master) this.#samples.length = 0;
    this.#samples.push(sample);
    if (this.#samples.length > maxSamples) this.#samples.shift();
  }

  /** undefined where the lag is unknown. */
  lag(address: string, nowMs: number): Lag | undefined {
    const newest = this.#samples.at(-1);
    const offset = newest?.replicas.get(address);
    if (newest === undefined || offset === undefined) return undefined;
    const reached = this.#samples.findLast(({ master }) => master <= offset);
    const bytes = nowMs - newest.atMs > maxBytesAgeMs ? null : Math.max(0, newest.master - offset);
    return { bytes, behindMs: reached === undefined ? null : Math.max(0, Math.round(nowMs - reached.atMs)) };
  }
}
