import type { Inputs, Versions } from './inputs.ts';

/**
 * Whether Consul's index fell since the last proven text of a template. After a fall the catalog may hold less than it
 * should: a Consul that restarts without its state answers with an empty catalog and success.
 */
export class IndexHistory {
  readonly #inputs: Pick<Inputs, 'versions'>;
  /** What the last proven text was rendered from. */
  #proven: Versions = new Map();
  /** Indexes that the daemon before this one saw, by query id. */
  #formerIndexes: ReadonlyMap<string, bigint> = new Map();
  #fellWhileAway = false;

  constructor(inputs: Pick<Inputs, 'versions'>) {
    this.#inputs = inputs;
  }

  get catalog(): 'steady' | 'fallen' {
    // Remembered, because a rebuilt Consul's index passes the former one long before its catalog is complete again.
    if (this.#isBehindFormer()) this.#fellWhileAway = true;
    return this.#hasFallen() || this.#fellWhileAway ? 'fallen' : 'steady';
  }

  /** Those of the last proven text, also of one before this daemon. */
  get indexes(): ReadonlyMap<string, bigint> {
    return new Map([...this.#formerIndexes, ...[...this.#proven].map(([id, { index }]) => [id, index] as const)]);
  }

  /** Takes over the indexes that a daemon before this one saw, as decimal texts. */
  restore(indexes: Readonly<Record<string, string>>): void {
    this.#formerIndexes = new Map(Object.entries(indexes).map(([id, index]) => [id, BigInt(index)]));
  }

  /** The text that was rendered from these answers took effect. Since then others may have come. */
  prove(versions: Versions): void {
    this.#proven = versions;
    this.#formerIndexes = new Map();
    this.#fellWhileAway = false;
  }

  #hasFallen(): boolean {
    return [...this.#inputs.versions].some(([id, { resets }]) => resets > (this.#proven.get(id)?.resets ?? 0));
  }

  #isBehindFormer(): boolean {
    if (this.#formerIndexes.size === 0) return false;
    return [...this.#inputs.versions].some(([id, { index }]) => index < (this.#formerIndexes.get(id) ?? 0n));
  }
}
