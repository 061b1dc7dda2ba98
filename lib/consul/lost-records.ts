import type { KvEntry } from '../model/catalog.ts';
import { isBroken, removedNames } from '../model/continuity.ts';
import { recordIn } from '../model/record.ts';

/**
 * After Consul lost its data, a record that is not back counts as deleted after this time. Bridges write records again
 * within seconds, once they run.
 */
const lostForMs = 600_000;

/** What Consul holds. */
export interface RecordsSeen {
  /** Below the prefix of the records. */
  readonly entries: readonly KvEntry[];
  /** Below the prefix of the plain keys. Default: not read yet. */
  readonly plainKeys: readonly KvEntry[] | undefined;
  /** Consul's index of the records. */
  readonly index: bigint;
  /** How often Consul's index fell. */
  readonly resets: number;
}

/** A record that a daemon before this one followed, and the index that it knew of all records. */
export interface RememberedEntry extends KvEntry {
  readonly highest: number;
}

/** The masters whose records may have gone with Consul's data, and not by a removal. */
export class LostRecords {
  readonly #prefix: string;
  readonly #onEnd: () => void;
  #before: readonly (KvEntry | RememberedEntry)[];
  #plainKeys: readonly KvEntry[] = [];
  /** Of the last answer; undefined before the first. */
  #index: bigint | undefined;
  #resets = 0;
  /** When each lost record counts as deleted. */
  readonly #ends = new Map<string, number>();
  /** Masters without a record in the last answer: a further loss does not extend their time. */
  #missing: ReadonlySet<string> = new Set();
  /** Masters that `switchmaster forget` removed: its mark may be gone before their keys and services are. */
  readonly #removed = new Set<string>();
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;

  /** `before`: what a daemon before this one knew. `onEnd` is called when lost records count as deleted. */
  constructor(options: {
    readonly prefix: string;
    readonly before: readonly RememberedEntry[];
    readonly onEnd: () => void;
    /** Milliseconds. Default: the time since the start of the process. */
    readonly now?: () => number;
  }) {
    this.#prefix = options.prefix;
    this.#before = options.before;
    this.#onEnd = options.onEnd;
    this.#now = options.now ?? (() => performance.now());
  }

  get names(): ReadonlySet<string> {
    const nowMs = this.#now();
    const lost = [...this.#ends].filter(([name, endMs]) => endMs > nowMs && !this.#removed.has(name));
    return new Set(lost.map(([name]) => name));
  }

  /** Takes an answer of Consul. `known` are the masters that are followed, `present` those that have a record. */
  note(
    seen: RecordsSeen,
    { known, present }: { readonly known: Iterable<string>; readonly present: Iterable<string> },
  ) {
    for (const name of removedNames(seen.entries, this.#prefix)) this.#removed.add(name);
    for (const name of present) this.#removed.delete(name);
    const plainKeys = seen.plainKeys ?? this.#plainKeys;
    const isReplaced = isBroken(this.#before, seen.entries, seen.index) || isBroken(this.#plainKeys, plainKeys);
    const isLoss = seen.resets !== this.#resets || isReplaced;
    this.#before = seen.entries;
    this.#plainKeys = plainKeys;
    this.#index = seen.index;
    this.#resets = seen.resets;
    if (isLoss) this.#lose(known);
    const shown = new Set(present);
    this.#missing = new Set([...this.#ends.keys()].filter((name) => !shown.has(name)));
  }

  /** Takes over what a daemon before this one knew. */
  remember(entries: readonly RememberedEntry[]): void {
    if (this.#index === undefined) {
      const known = new Set(this.#before.map(({ key }) => key));
      this.#before = [...this.#before, ...entries.filter(({ key }) => !known.has(key))];
      return;
    }
    if (!isBroken(entries, this.#before, this.#index)) return;
    this.#lose(entries.flatMap((entry) => recordIn(entry)?.name ?? []));
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #lose(names: Iterable<string>): void {
    const endMs = this.#now() + lostForMs;
    for (const name of names) if (!(this.#ends.has(name) && this.#missing.has(name))) this.#ends.set(name, endMs);
    this.#schedule();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#ends.size === 0) return;
    const firstMs = Math.min(...this.#ends.values());
    this.#timer = setTimeout(() => this.#end(), Math.max(1, firstMs - this.#now()));
  }

  #end(): void {
    const nowMs = this.#now();
    for (const [name, endMs] of this.#ends) if (endMs <= nowMs) this.#ends.delete(name);
    this.#schedule();
    this.#onEnd();
  }
}
