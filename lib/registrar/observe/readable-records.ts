import type { KvEntry } from '../../model/catalog.ts';
import { readEntry } from '../../model/records.ts';

/**
 * The records below one prefix, as they were when they could last be read: a record that somebody damages would otherwise
 * change the tags of its instances until a bridge repairs it. A deleted key is forgotten.
 */
export class ReadableRecords {
  readonly #prefix: string;
  #answer: readonly KvEntry[] = [];
  #readable: readonly KvEntry[] = [];
  #last: ReadonlyMap<string, KvEntry> = new Map();

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Consul's answer, with each value that is no record replaced by the last record of that key. */
  read(answer: readonly KvEntry[]): readonly KvEntry[] {
    if (answer === this.#answer) return this.#readable;
    const last = new Map<string, KvEntry>();
    this.#readable = answer.map((entry) => {
      const readable = readEntry(entry, this.#prefix) === undefined ? this.#last.get(entry.key) : entry;
      if (readable !== undefined) last.set(entry.key, readable);
      return readable ?? entry;
    });
    this.#answer = answer;
    this.#last = last;
    return this.#readable;
  }
}
