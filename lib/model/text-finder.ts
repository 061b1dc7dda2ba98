/** Every text that is searched for is at least as long. */
export const leastLength = 4;
/** Of a longer text, its begin and its end are looked up before it is compared. */
const longest = 64;
const edge = longest / 2;
/** The limit of comparisons in one search: some hundred milliseconds. */
const maxWork = 1_000_000;
const filterBits = 16;
/** So many are searched for one after another, which is faster. */
const few = 16;

/** Texts of one length: whole ones, and long ones by their begin and end. */
interface Group {
  readonly length: number;
  readonly short: Set<string>;
  readonly long: Map<string, string[]>;
}

/**
 * Finds many texts in one. The time depends on the length of that text, and hardly on how many are searched for: a file with
 * thousands of secret lines must not hold up the event loop.
 */
export class TextFinder {
  /** By the first {@link leastLength} characters; the longest texts first. */
  readonly #groups = new Map<string, Group[]>();
  /** Whether a text may begin with characters of this hash. */
  readonly #filter = new Uint8Array(1 << filterBits);
  readonly #few: readonly string[] | undefined;

  constructor(texts: readonly string[]) {
    const usable = texts.filter(({ length }) => length >= leastLength);
    this.#few = usable.length > few ? undefined : usable;
    if (usable.length > few) for (const text of usable) this.#add(text);
    for (const groups of this.#groups.values()) groups.sort((a, b) => b.length - a.length);
  }

  /** Sets `marks` to 1 wherever one of the texts is. Marks the rest of a text that takes too many comparisons. */
  mark(text: string, marks: Uint8Array): void {
    if (this.#few === undefined) this.#markMany(text, marks);
    for (const one of this.#few ?? []) {
      for (let at = text.indexOf(one); at >= 0; at = text.indexOf(one, at + 1)) marks.fill(1, at, at + one.length);
    }
  }

  #markMany(text: string, marks: Uint8Array): void {
    let work = 0;
    let markedTo = 0;
    for (let at = 0; at + leastLength <= text.length; at += 1) {
      if (this.#filter[hashAt(text, at)] === 0) continue;
      for (const group of this.#groups.get(text.slice(at, at + leastLength)) ?? []) {
        const end = at + group.length;
        if (end <= markedTo) break;
        work += 1;
        if (end > text.length || !isIn(group, text, at)) continue;
        marks.fill(1, Math.max(at, markedTo), end);
        markedTo = end;
        break;
      }
      if (work > maxWork) return void marks.fill(1, at);
    }
  }

  #add(text: string): void {
    this.#filter[hashAt(text, 0)] = 1;
    const begin = text.slice(0, leastLength);
    const groups = this.#groups.get(begin) ?? [];
    this.#groups.set(begin, groups);
    let group = groups.find(({ length }) => length === text.length);
    if (group === undefined) {
      group = { length: text.length, short: new Set(), long: new Map() };
      groups.push(group);
    }
    if (text.length <= longest) group.short.add(text);
    else addLong(group.long, text);
  }
}

function addLong(long: Group['long'], text: string): void {
  const edges = edgesAt(text, 0, text.length);
  const same = long.get(edges);
  if (same === undefined) long.set(edges, [text]);
  else same.push(text);
}

function isIn({ length, short, long }: Group, text: string, at: number): boolean {
  if (length <= longest) return short.has(text.slice(at, at + length));
  return long.get(edgesAt(text, at, length))?.some((one) => text.startsWith(one, at)) ?? false;
}

function edgesAt(text: string, at: number, length: number): string {
  return text.slice(at, at + edge) + text.slice(at + length - edge, at + length);
}

function hashAt(text: string, at: number): number {
  const begin = text.charCodeAt(at) ^ (text.charCodeAt(at + 1) << 4);
  const end = text.charCodeAt(at + 2) ^ (text.charCodeAt(at + 3) << 4);
  return (begin ^ (end << 8)) & ((1 << filterBits) - 1);
}
