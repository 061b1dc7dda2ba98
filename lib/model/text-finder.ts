/** Every text that is searched for is at least as long. */
export const leastLength = 4;
/** Of a longer text, its begin, its end and some characters between are hashed. */
const longest = 512;
const edge = 128;
/** Texts of one hash that are compared. Beyond them, a text of this hash counts as found: too much is marked, never too little. */
const maxEqualHashes = 32;
/** Texts by the hash of their first {@link leastLength} characters. */
const bucketBits = 16;
/** So many are searched for one after another, which is faster. */
const few = 16;
/** The limit of comparisons in one search: for each character, and so many more. A short text takes some ten milliseconds. */
const maxWork = { each: 16, more: 50_000 };
/** Positions, or comparisons, between two pauses. */
const sliceSize = 16_384;

/** A part of a text. */
export interface Piece {
  readonly text: string;
  readonly from: number;
  readonly length: number;
}

/**
 * Finds many texts in one. The time depends on the length of that text, and hardly on how many are searched for: a file with
 * thousands of secret lines must not hold up the event loop. The texts are parts of longer ones, which are not copied.
 */
export class TextFinder {
  readonly #pieces: Piece[] = [];
  /** Indexes of pieces plus one, by their hash: an open table with linear probing. */
  #table = new Uint32Array(1 << 6);
  /** The table before, which has the pieces that are not moved yet: to move a million at once takes a tenth of a second. */
  #former: { readonly table: Uint32Array; readonly size: number; moved: number } | undefined;
  #hashes = new Int32Array(1 << 5);
  /** The lengths in each bucket, the longest first. */
  readonly #lengths = new Map<number, number[]>();

  get size(): number {
    return this.#pieces.length;
  }

  /** Shorter texts than {@link leastLength} are left out. */
  add(piece: Piece): void {
    const { text, from, length } = piece;
    if (length < leastLength) return;
    const hash = hashOf(text, from, length);
    if (this.#isKnown(piece, hash)) return;
    this.#move(movedAtOnce);
    this.#pieces.push(piece);
    if (this.#pieces.length > this.#hashes.length) this.#hashes = grown(this.#hashes);
    this.#hashes[this.#pieces.length - 1] = hash;
    place(this.#table, { hash, index: this.#pieces.length });
    if (this.#pieces.length * 2 > this.#table.length) this.#growTable();
    this.#addLength(bucketAt(text, from), length);
  }

  /**
   * Sets `marks` to 1 wherever one of the texts is, and pauses now and then. Marks the rest of a text that takes too many
   * comparisons.
   */
  *mark(text: string, marks: Uint8Array): Generator<void, void> {
    if (this.size > few) return yield* this.#markMany(text, marks);
    for (const piece of this.#pieces) {
      yield;
      const one = piece.text.slice(piece.from, piece.from + piece.length);
      for (let at = text.indexOf(one); at >= 0; at = text.indexOf(one, at + 1)) marks.fill(1, at, at + one.length);
    }
  }

  *#markMany(text: string, marks: Uint8Array): Generator<void, void> {
    let work = 0;
    let pauseAt = sliceSize;
    let markedTo = 0;
    for (let at = 0; at + leastLength <= text.length; at += 1) {
      if (at + work >= pauseAt) {
        yield;
        pauseAt = at + work + sliceSize;
      }
      for (const length of this.#lengths.get(bucketAt(text, at)) ?? none) {
        const end = at + length;
        if (end <= markedTo) break;
        work += 1 + (Math.min(length, longest) >> 5);
        if (end > text.length || !this.#has({ text, from: at, length })) continue;
        marks.fill(1, Math.max(at, markedTo), end);
        markedTo = end;
        break;
      }
      if (work > maxWork.more + maxWork.each * text.length) return void marks.fill(1, at);
    }
  }

  #has(piece: Piece): boolean {
    return this.#isKnown(piece, hashOf(piece.text, piece.from, piece.length));
  }

  #isKnown(piece: Piece, hash: number): boolean {
    if (this.#isIn(this.#table, piece, hash)) return true;
    return this.#former !== undefined && this.#isIn(this.#former.table, piece, hash);
  }

  #isIn(table: Uint32Array, piece: Piece, hash: number): boolean {
    const mask = table.length - 1;
    let slot = hash & mask;
    let equalHashes = 0;
    for (let one = table[slot] ?? 0; one !== 0; one = table[slot] ?? 0) {
      if (this.#hashes[one - 1] === hash) {
        equalHashes += 1;
        if (equalHashes > maxEqualHashes || isSame(this.#pieces[one - 1] ?? piece, piece)) return true;
      }
      slot = (slot + 1) & mask;
    }
    return false;
  }

  #growTable(): void {
    this.#move(Number.POSITIVE_INFINITY);
    this.#former = { table: this.#table, size: this.#pieces.length, moved: 0 };
    this.#table = new Uint32Array(this.#table.length * 2);
  }

  /** Moves pieces of the former table. They stay in it too, until all are moved. */
  #move(most: number): void {
    const former = this.#former;
    if (former === undefined) return;
    const end = Math.min(former.size, former.moved + most);
    for (let i = former.moved; i < end; i += 1) place(this.#table, { hash: this.#hashes[i] ?? 0, index: i + 1 });
    former.moved = end;
    if (end === former.size) this.#former = undefined;
  }

  #addLength(bucket: number, length: number): void {
    const lengths = this.#lengths.get(bucket);
    if (lengths === undefined) this.#lengths.set(bucket, [length]);
    else if (!lengths.includes(length)) insertDescending(lengths, length);
  }
}

const none: readonly number[] = [];

/** For each piece that is added, so that all are moved long before the table grows again. */
const movedAtOnce = 4;

function place(table: Uint32Array, { hash, index }: { readonly hash: number; readonly index: number }): void {
  const mask = table.length - 1;
  let slot = hash & mask;
  while (table[slot] !== 0) slot = (slot + 1) & mask;
  table[slot] = index;
}

function insertDescending(lengths: number[], length: number): void {
  const at = lengths.findIndex((other) => other < length);
  lengths.splice(at === -1 ? lengths.length : at, 0, length);
}

function grown(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}

function isSame(a: Piece, b: Piece): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) {
    if (a.text.charCodeAt(a.from + i) !== b.text.charCodeAt(b.from + i)) return false;
  }
  return true;
}

function hashOf(text: string, from: number, length: number): number {
  const end = from + length;
  if (length <= longest) return finish(hashRange(text, { from, end, step: 1 }, length));
  let hash = hashRange(text, { from, end: from + edge, step: 1 }, length);
  hash = hashRange(text, { from: end - edge, end, step: 1 }, hash);
  return finish(hashRange(text, { from: from + edge, end: end - edge, step: Math.ceil(length / edge) }, hash));
}

function hashRange(
  text: string,
  { from, end, step }: { readonly from: number; readonly end: number; readonly step: number },
  start: number,
): number {
  let hash = start;
  for (let at = from; at < end; at += step) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash;
}

function finish(hash: number): number {
  return (hash ^ (hash >>> 15)) | 0;
}

function bucketAt(text: string, at: number): number {
  const begin = text.charCodeAt(at) ^ (text.charCodeAt(at + 1) << 4);
  const end = text.charCodeAt(at + 2) ^ (text.charCodeAt(at + 3) << 4);
  return (begin ^ (end << 8)) & ((1 << bucketBits) - 1);
}
