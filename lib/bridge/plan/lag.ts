import type { Lag } from '../../model/lag.ts';

/** The replication offsets of a master and its replicas at one moment, in bytes. */
export interface LagSample {
  /** When the bridge asked: the answers are from then or later. Milliseconds of `performance.now()`. */
  readonly atMs: number;
  readonly master: number;
  /** By address; only replicas whose link to a master was up. */
  readonly replicas: ReadonlyMap<string, number>;
}

/** Five minutes at one a second, of a master that is written to all the time. A longer lag is unknown. */
const maxSamples = 300;
/** The bytes of an older sample no longer apply, so they are unknown. */
const maxBytesAgeMs = 6_000;

/**
 * The last samples of one master. The lag in time comes from the master's own past: a replica has everything that the
 * master had at the newest sample whose offset the replica has reached. So the lag rises while nothing answers, and the
 * clocks of other machines do not matter.
 *
 * A daemon has such a history for each master. Of older samples it keeps two numbers, and of those with the same offset the last one.
 */
export class LagHistory {
  #newest: LagSample | undefined;
  /** Rising; {@link #timesMs} has the times. Both are lists of numbers, which V8 keeps without an object for each. */
  #offsets: number[] = [];
  #timesMs: number[] = [];

  add(sample: LagSample): void {
    const last = this.#offsets.at(-1);
    this.#newest = sample;
    if (last !== undefined && sample.master > last) this.#push(sample);
    else if (sample.master === last) this.#timesMs[this.#timesMs.length - 1] = sample.atMs;
    else {
      // A master's offset never falls: a lower one means another master, or one that lost its data. A list with one number from the
      // start has no room for more, and most masters need no more.
      this.#offsets = [sample.master];
      this.#timesMs = [sample.atMs];
    }
  }

  /** undefined where the lag is unknown. */
  lag(address: string, nowMs: number): Lag | undefined {
    const newest = this.#newest;
    const offset = newest?.replicas.get(address);
    if (newest === undefined || offset === undefined) return undefined;
    const reachedMs = this.#timesMs[this.#offsets.findLastIndex((master) => master <= offset)];
    const bytes = nowMs - newest.atMs > maxBytesAgeMs ? null : Math.max(0, newest.master - offset);
    return { bytes, behindMs: reachedMs === undefined ? null : Math.max(0, Math.round(nowMs - reachedMs)) };
  }

  #push({ master, atMs }: LagSample): void {
    this.#offsets.push(master);
    this.#timesMs.push(atMs);
    if (this.#offsets.length <= maxSamples) return;
    this.#offsets.shift();
    this.#timesMs.shift();
  }
}
