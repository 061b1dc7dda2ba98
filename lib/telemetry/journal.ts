import { createHash } from 'node:crypto';
import type { Replay, RunReport } from '../loop/outcome.ts';
import { type JournalEntry, sizeOf, toEntry } from './entry.ts';
import { isDoubled, type Repetition, Repetitions } from './repetition.ts';

export type { JournalEntry } from './entry.ts';

/** An entry as the journal's file has it: with the inputs of its decision, if they are known. */
export interface KeptEntry extends JournalEntry {
  readonly replay?: KeptReplay;
}

/** Complete or absent: incomplete inputs would lead to another decision. `cut` says why they are absent. */
type KeptReplay = Replay | { readonly cut: string };

/** The inputs of a decision with a thousand Sentinels and replicas are shorter. */
const maxReplayLength = 1024 * 1024;

export interface JournalOptions {
  /** The maximum number of entries in memory. */
  readonly capacity: number;
  /** About how many characters they may have together. Default: 32 Mi. */
  readonly maxCharacters?: number;
  /** Entries of an earlier run of the daemon; the last ones are kept. */
  readonly earlier?: readonly JournalEntry[];
  /** Called with each complete entry. */
  readonly keep?: (entry: KeptEntry) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

export interface JournalFilter {
  /** One loop, or several. */
  readonly loop?: string | readonly string[];
  /** One key, or several. */
  readonly key?: string | readonly string[];
  /** How many of the newest entries. */
  readonly limit: number;
}

type EntryIds = Pick<JournalEntry, 'id' | 'firstId'>;

/** How many rows of what may be repeated the journal remembers: some for each of a thousand masters. */
const mostRepeatable = 10_000;

/**
 * The last outcomes in memory, oldest first, without `unchanged`. What repeats word for word is one entry with a count: a
 * Consul that is unreachable for a night leaves one line, not thousands. Such an entry is added again, with a new id, when
 * its count has doubled, so that readers learn of it, and the file has it.
 */
export class Journal {
  readonly #capacity: number;
  readonly #now: () => number;
  readonly #keep: JournalOptions['keep'];
  readonly #maxCharacters: number;
  readonly #entries: JournalEntry[] = [];
  readonly #sizes = new WeakMap<JournalEntry, number>();
  #characters = 0;
  /** Whether an entry was dropped. */
  #isCut = false;
  readonly #repetitions = new Repetitions();
  /** The ids of what may be repeated, by the hash of its row; the one that was repeated last is at the end. */
  readonly #repeatable = new Map<string, EntryIds>();
  readonly #subscribers = new Set<(entry: JournalEntry) => void>();
  #lastId: number;

  constructor(options: JournalOptions) {
    this.#capacity = options.capacity;
    this.#maxCharacters = options.maxCharacters ?? 32 * 1024 * 1024;
    this.#now = options.now ?? Date.now;
    this.#keep = options.keep;
    const earlier = onceEach(options.earlier ?? []);
    for (const entry of earlier.slice(-this.#capacity)) this.#push(entry);
    this.#isCut = earlier.length > this.#capacity;
    this.#dropOldest();
    // A clock that was set back must not make ids fall.
    this.#lastId = Math.max(this.#now() * 1_000, this.#entries.at(-1)?.id ?? 0);
  }

  get lastId(): number {
    return this.#lastId;
  }

  /** Adds a run, unless it changed nothing. One that repeats the last one of its key is counted. */
  observe(report: RunReport): void {
    const { outcome } = report;
    if (outcome.kind === 'unchanged') return;
    // A run that is repeated at once decided nothing.
    if (outcome.kind === 'held' && outcome.retryAfterMs === 0) return;
    const repetition = this.#repetitions.count(report, this.#now());
    const { count, row } = repetition;
    const before = count > 1 && row !== undefined ? this.#repeatable.get(shortKey(row)) : undefined;
    const entry = this.#toEntry(report, { repetition, before });
    if (row !== undefined) this.#keepRepeatable(row, entry);
    if (before === undefined) {
      this.#add(entry, outcome.replay);
      return;
    }
    const index = this.#indexAfter(before.id - 1);
    const isKept = this.#entries[index]?.id === before.id;
    if (entry.id === before.id && isKept) this.#replace(index, entry);
    if (entry.id === before.id) return;
    if (isKept) this.#drop(index, 1);
    this.#add(entry, outcome.replay);
  }

  /**
   * The entries after `id`, oldest first, at most `limit`. `complete` is false if the journal has dropped some of them.
   * The cost depends on the answer, not on the size of the journal: readers call this often for few entries.
   */
  since(
    id: number,
    limit: number = Number.POSITIVE_INFINITY,
  ): { readonly entries: readonly JournalEntry[]; readonly complete: boolean } {
    const [oldest] = this.#entries;
    const complete = !this.#isCut || (oldest !== undefined && oldest.id <= id);
    const first = this.#indexAfter(id);
    return { entries: this.#entries.slice(first, first + limit), complete };
  }

  /** Newest first. */
  list(filter: JournalFilter): readonly JournalEntry[] {
    const loops = filter.loop === undefined ? undefined : new Set([filter.loop].flat());
    const keys = filter.key === undefined ? undefined : new Set([filter.key].flat());
    const found: JournalEntry[] = [];
    for (let i = this.#entries.length - 1; i >= 0 && found.length < filter.limit; i -= 1) {
      const entry = this.#entries[i];
      if (entry === undefined || loops?.has(entry.loop) === false) continue;
      if (keys?.has(entry.key) !== false) found.push(entry);
    }
    return found;
  }

  /** Calls `onEntry` for each new entry until the returned function is called. */
  subscribe(onEntry: (entry: JournalEntry) => void): () => void {
    this.#subscribers.add(onEntry);
    return () => void this.#subscribers.delete(onEntry);
  }

  #keepRepeatable(row: string, { id, firstId }: EntryIds): void {
    const key = shortKey(row);
    this.#repeatable.delete(key);
    this.#repeatable.set(key, { id, firstId });
    const [oldest] = this.#repeatable.keys();
    if (this.#repeatable.size > mostRepeatable && oldest !== undefined) this.#repeatable.delete(oldest);
  }

  /** The index of the first entry above `id`, by binary search: ids rise. */
  #indexAfter(id: number): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle]?.id ?? 0) > id) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #add(entry: JournalEntry, replay: Replay | undefined): void {
    this.#push(entry);
    this.#keep?.(replay === undefined ? entry : { ...entry, replay: keepReplay(replay) });
    this.#dropOldest();
    for (const subscriber of this.#subscribers) subscriber(entry);
  }

  #push(entry: JournalEntry): void {
    const size = sizeOf(entry);
    this.#sizes.set(entry, size);
    this.#characters += size;
    this.#entries.push(entry);
  }

  #replace(index: number, entry: JournalEntry): void {
    const [last] = this.#entries.splice(index, 1, entry);
    const size = sizeOf(entry);
    this.#sizes.set(entry, size);
    this.#characters += size - ((last && this.#sizes.get(last)) ?? 0);
  }

  #drop(index: number, count: number): void {
    for (const entry of this.#entries.splice(index, count)) this.#characters -= this.#sizes.get(entry) ?? 0;
  }

  /** In blocks: to shift one entry copies the whole array. */
  #dropOldest(): void {
    let excess = this.#entries.length >= this.#capacity * 1.1 ? this.#entries.length - this.#capacity : 0;
    if (this.#characters >= this.#maxCharacters) {
      let left = this.#characters;
      for (; excess < this.#entries.length - 1 && left > this.#maxCharacters * 0.9; excess += 1)
        left -= this.#sizes.get(this.#entries[excess] as JournalEntry) ?? 0;
    }
    if (excess === 0) return;
    this.#drop(0, excess);
    this.#isCut = true;
  }

  #toEntry(
    report: RunReport,
    { repetition, before }: { readonly repetition: Repetition; readonly before: EntryIds | undefined },
  ): JournalEntry {
    const id = before !== undefined && !isDoubled(repetition) ? before.id : ++this.#lastId;
    return toEntry(report, { repetition, ids: { id, firstId: before?.firstId ?? id } });
  }
}

/** A row has the text of an outcome, which may be long. */
function shortKey(row: string): string {
  return createHash('sha256').update(row).digest('base64');
}

/** Entries of a file, which has a repeated one several times. Those of an earlier version have no count. */
function onceEach(entries: readonly JournalEntry[]): readonly JournalEntry[] {
  const counted = entries.map((entry) => ({
    ...entry,
    ...{ firstId: entry.firstId ?? entry.id, firstAt: entry.firstAt ?? entry.at, count: entry.count ?? 1 },
  }));
  return [...new Map(counted.map((entry) => [entry.firstId, entry])).values()].sort((a, b) => a.id - b.id);
}

function keepReplay(replay: Replay): KeptReplay {
  const text = JSON.stringify(replay, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
  if (text.length > maxReplayLength) return { cut: `it takes ${text.length} characters, more than are kept` };
  return JSON.parse(text) as Replay;
}
