import { leastLength, TextFinder } from './text-finder.ts';

/** Replaces a secret in a text. */
export const redacted = '[secret]';

/** Shorter values are not secrets: `1` and `yes` occur in many texts and protect nothing. */
export const leastSecretLength = leastLength;

/** The least length of a secret's part that is redacted. Shorter parts may match by chance; cut values leave longer ones. */
const fragmentLength = 8;

/** Longer texts are parts of a config and not passwords. Their fragments occur everywhere, so only whole lines count. */
export const maxFragmented = 65_536;

/** The same for many secrets together: beyond these characters, the oldest ones count only as a whole. */
const maxFragmentedTogether = 524_288;
/** Former secrets leave the other half free: otherwise all would have to be learned again at each change. */
const maxFragmentedFormer = maxFragmentedTogether / 2;

/** At least so many former values, of rotated passwords for example, are kept beside the current ones, and at most twice as many. */
const keptSecrets = 1_000;
/** The same in characters: a file of megabytes that changes every second must not fill the memory. */
const keptCharacters = 4 * 1024 * 1024;

/** Characters between two pauses. */
const sliceSize = 16_384;
/** A short line takes as long as so many characters. */
const lineCost = 8;

/**
 * Secret texts, and their removal from messages: each secret unchanged, line by line, as JSON writes it, and every fragment of
 * {@link fragmentLength} characters, because programs quote, escape and cut texts in their errors.
 */
export class Redactor {
  /** The one that was learned last is at the end. */
  readonly #secrets = new Set<string>();
  /** Whole secrets, their lines, and both as JSON writes them. */
  #forms = new TextFinder();
  #fragments = new Fragments();
  /** The last long text, as it was redacted: readers of the API ask for the same one again. */
  #lastLong: { readonly text: string; readonly shown: string } | undefined;
  /** Counts what was learned and forgotten. */
  #version = 0;

  get isEmpty(): boolean {
    return this.#secrets.size === 0;
  }

  /** From now on these are removed too. The oldest secrets are dropped first; the last one of `texts` counts as the newest. */
  learn(texts: readonly string[]): void {
    complete(this.learning(texts));
  }

  /** The same with pauses, for texts of megabytes. What was learned before a pause is removed already. */
  *learning(texts: readonly string[]): Generator<void, void> {
    for (const text of texts) {
      const isKnown = this.#secrets.delete(text);
      if (text.trim().length < leastSecretLength) continue;
      // Set again, so that the oldest comes first in the set's order.
      this.#secrets.add(text);
      yield* this.#fragments.add(text, maxFragmentedTogether);
      if (isKnown) continue;
      yield* addForms(this.#forms, text);
      this.#note();
    }
    const current = new Set(texts);
    if (this.#dropOldest(current) || this.#fragments.lackRoom(current)) yield* this.#learnAgain(current);
  }

  /** The text without secrets. */
  redact(text: string): string {
    if (this.isEmpty || text.length < leastSecretLength) return text;
    const marks = new Uint8Array(text.length);
    complete(this.#forms.mark(text, marks));
    complete(this.#fragments.mark(text, marks));
    return complete(replaceMarked(text, marks));
  }

  /** For a long text, with pauses: removes only whole secrets and whole lines of secrets. */
  *redactingWhole(text: string): Generator<void, string> {
    if (this.isEmpty) return text;
    if (this.#lastLong?.text === text) return this.#lastLong.shown;
    const version = this.#version;
    const marks = new Uint8Array(text.length);
    yield* this.#forms.mark(text, marks);
    const shown = marks.includes(1) ? yield* replaceMarked(text, marks) : text;
    if (version === this.#version) this.#lastLong = { text, shown };
    return shown;
  }

  /** Plain data with every text in it redacted. Names of fields stay. */
  redactAll<T>(value: T): T {
    if (this.isEmpty) return value;
    return this.#walk(value) as T;
  }

  #walk(value: unknown): unknown {
    if (typeof value === 'string') return this.redact(value);
    if (Array.isArray(value)) return value.map((item) => this.#walk(item));
    const plain = typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
    if (!plain) return value;
    return Object.fromEntries(Object.entries(value as object).map(([key, inner]) => [key, this.#walk(inner)]));
  }

  /** Whether any was dropped: many at once, because the others are learned again then. */
  #dropOldest(current: ReadonlySet<string>): boolean {
    const former = [...this.#secrets].filter((secret) => !current.has(secret));
    let characters = former.reduce((sum, { length }) => sum + length, 0);
    if (former.length <= 2 * keptSecrets && characters <= 2 * keptCharacters) return false;
    let kept = former.length;
    for (const oldest of former) {
      if (kept <= keptSecrets && characters <= keptCharacters) break;
      kept -= 1;
      characters -= oldest.length;
      this.#secrets.delete(oldest);
    }
    return true;
  }

  *#learnAgain(current: ReadonlySet<string>): Generator<void, void> {
    const forms = new TextFinder();
    const fragments = new Fragments();
    // The newest first: there may be no room for the fragments of all.
    for (const secret of [...this.#secrets].reverse()) {
      yield* addForms(forms, secret);
      yield* fragments.add(secret, current.has(secret) ? maxFragmentedTogether : maxFragmentedFormer);
    }
    this.#forms = forms;
    this.#fragments = fragments;
    this.#note();
  }

  #note(): void {
    this.#version += 1;
    this.#lastLong = undefined;
  }
}

/** The short parts of secrets. */
class Fragments {
  readonly #finder = new TextFinder();
  readonly #secrets = new Set<string>();
  #characters = 0;

  /** Whether there would be room for one more current secret without the fragments of former ones. */
  lackRoom(current: ReadonlySet<string>): boolean {
    const missing = [...current].filter((secret) => !this.#secrets.has(secret) && isFragmented(secret));
    if (missing.length === 0) return false;
    const former = [...this.#secrets].filter((secret) => !current.has(secret));
    const room = former.reduce((sum, { length }) => sum + length, maxFragmentedTogether - this.#characters);
    return missing.some(({ length }) => length <= room);
  }

  /** Does nothing where all fragments together would have more than `room` characters then. */
  *add(secret: string, room: number): Generator<void, void> {
    if (this.#secrets.has(secret) || !isFragmented(secret) || this.#characters + secret.length > room) return;
    this.#secrets.add(secret);
    this.#characters += secret.length;
    for (let from = 0; from + fragmentLength <= secret.length; from += 1) {
      if ((from * lineCost) % sliceSize === sliceSize - lineCost) yield;
      this.#finder.add({ text: secret, from, length: fragmentLength });
    }
  }

  mark(text: string, marks: Uint8Array): Generator<void, void> {
    return this.#finder.mark(text, marks);
  }
}

function isFragmented(secret: string): boolean {
  return secret.length <= maxFragmented && secret.trim().length >= leastSecretLength;
}

/** Characters that JSON escapes. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON escapes them
const escaped = /["\\\u0000-\u001f]|\p{Surrogate}/u;

/** Adds the secret and its lines. */
function* addForms(finder: TextFinder, secret: string): Generator<void, void> {
  addForm(finder, { text: secret, from: 0, end: secret.length });
  if (!secret.includes('\n')) return;
  for (let from = 0, cost = 0; from < secret.length; ) {
    if (cost > sliceSize) yield;
    if (cost > sliceSize) cost = 0;
    const found = secret.indexOf('\n', from);
    const end = found === -1 ? secret.length : found;
    addForm(finder, { text: secret, from, end });
    cost += lineCost + end - from;
    from = end + 1;
  }
}

function addForm(
  finder: TextFinder,
  { text, from, end }: { readonly text: string; readonly from: number; readonly end: number },
): void {
  const line = text.slice(from, end);
  const form = line.trim();
  if (form.length < leastSecretLength) return;
  finder.add({ text, from: from + line.length - line.trimStart().length, length: form.length });
  // A message that has a text of megabytes as JSON has its lines, which are added alone.
  if (form.length > maxFragmented && form.includes('\n')) return;
  if (!escaped.test(form)) return;
  const written = JSON.stringify(form).slice(1, -1);
  finder.add({ text: written, from: 0, length: written.length });
}

function complete<T>(work: Generator<void, T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value as T;
  }
}

function* replaceMarked(text: string, marks: Uint8Array): Generator<void, string> {
  let shown = '';
  let parts: string[] = [];
  for (let at = 0; at < text.length; ) {
    const marked = marks[at] === 1;
    const found = marks.indexOf(marked ? 0 : 1, at);
    const end = found === -1 ? text.length : found;
    parts.push(marked ? redacted : text.slice(at, end));
    at = end;
    if (parts.length < partsAtOnce) continue;
    shown += parts.join('');
    parts = [];
    yield;
  }
  return shown + parts.join('');
}

const partsAtOnce = 16_384;
