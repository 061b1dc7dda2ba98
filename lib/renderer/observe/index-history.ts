import type { Inputs, Versions } from './inputs.ts';

/**
 * Whether Consul's index fell since the last proven text of a template. After a fall the catalog may hold less than it
 * should: a Consul that restarts without its state answers with an empty catalog and success.
 */
export class IndexHistory {
  readonly #inputs: Pick<Inputs, 'someVersion'>;
  /** What the last proven text was rendered from. */
  #proven: Versions = new Map();
  /** Indexes that the daemon before this one saw, by query id. */
  #formerIndexes: ReadonlyMap<string, bigint> = new Map();
  #fellWhileAway = false;

  constructor(inputs: Pick<Inputs, 'someVersion'>) {
    this.#inputs = inputs;
  }

  get catalog(): 'steady' | 'fallen' {
    // Remembered, because a rebuilt Consul's index passes the former one long before its catalog is complete again.
    if (this.#isBehindFormer()) this.#fellWhileAway = true;
    return this.#hasFallen() || this.#fellWhileAway ? 'fallen' : 'steady';
  }

  /** That of the last proven text, also of one before this daemon. */
  indexOf(id: string): bigint | undefined {
    return this.#proven.get(id)?.index ?? this.#formerIndexes.get(id);
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
    return this.#inputs.someVersion((id, { resets }) => resets > (this.#proven.get(id)?.resets ?? 0));
  }

  #isBehindFormer(): boolean {
    if (this.#formerIndexes.size === 0) return false;
    return this.#inputs.someVersion((id, { index }) => index < (this.#formerIndexes.get(id) ?? 0n));
  }
}
