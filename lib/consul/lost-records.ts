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
  #resets = 0;
  #lost = new Set<string>();
  /** Masters that `switchmaster forget` removed: its mark may be gone before their keys and services are. */
  readonly #removed = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  /** `before`: what a daemon before this one knew. `onEnd` is called when the lost records count as deleted. */
  constructor(options: {
    readonly prefix: string;
    readonly before: readonly RememberedEntry[];
    readonly onEnd: () => void;
  }) {
    this.#prefix = options.prefix;
    this.#before = options.before;
    this.#onEnd = options.onEnd;
  }

  get names(): ReadonlySet<string> {
    return new Set([...this.#lost].filter((name) => !this.#removed.has(name)));
  }

  /** Takes an answer of Consul. `known` are the masters that are followed, `present` those that have a record. */
  note(
    seen: RecordsSeen,
    { known, present }: { readonly known: Iterable<string>; readonly present: Iterable<string> },
  ) {
    for (const name of removedNames(seen.entries, this.#prefix)) this.#removed.add(name);
    for (const name of present) this.#removed.delete(name);
    const plainKeys = seen.plainKeys ?? this.#plainKeys;
    const isReplaced = isBroken(this.#before, seen.entries) || isBroken(this.#plainKeys, plainKeys);
    const isLoss = seen.resets !== this.#resets || isReplaced;
    this.#before = seen.entries;
    this.#plainKeys = plainKeys;
    this.#resets = seen.resets;
    if (isLoss) this.#lose(known);
  }

  /** Takes over what a daemon before this one knew, after the first answer. */
  remember(entries: readonly RememberedEntry[]): void {
    if (!isBroken(entries, this.#before)) return;
    this.#lose(entries.flatMap((entry) => recordIn(entry)?.name ?? []));
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #lose(names: Iterable<string>): void {
    this.#lost = new Set([...this.#lost, ...names]);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#end(), lostForMs);
  }

  #end(): void {
    this.#lost.clear();
    this.#onEnd();
  }
}
