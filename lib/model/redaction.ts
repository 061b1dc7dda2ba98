import { leastLength, TextFinder } from './text-finder.ts';

/** Replaces a secret in a text. */
export const redacted = '[secret]';

/** Shorter values are not secrets: `1` and `yes` occur in many texts and protect nothing. */
export const leastSecretLength = leastLength;

/** The least length of a secret's part that is redacted. Shorter parts may match by chance; cut values leave longer ones. */
const fragmentLength = 8;

/** Longer texts are parts of a config and not passwords. Their fragments occur everywhere, so only whole lines count. */
const maxFragmented = 65_536;

/** The same for many secrets together: beyond these characters, further ones count only as a whole. */
const maxFragmentedTogether = 524_288;

/** The number of former values, of rotated passwords for example, that are kept beside the current ones. */
const keptSecrets = 1_000;

/**
 * Secret texts, and their removal from messages: each secret unchanged, line by line, as JSON writes it, and every fragment of
 * {@link fragmentLength} characters, because programs quote, escape and cut texts in their errors.
 */
export class Redactor {
  /** The forms of each secret. The one that was learned last is at the end. */
  readonly #secrets = new Map<string, readonly string[]>();
  /** The fragments of all secrets; undefined until they are needed. */
  #fragments: ReadonlySet<string> | undefined;
  /** All forms; undefined until they are needed. */
  #finder: TextFinder | undefined;
  /** The last long text, as it was redacted: readers of the API ask for the same one again. */
  #lastLong: { readonly text: string; readonly shown: string } | undefined;

  get isEmpty(): boolean {
    return this.#secrets.size === 0;
  }

  /** From now on these are removed too. The oldest secrets are dropped first. */
  learn(texts: readonly string[]): void {
    for (const text of texts) {
      const known = this.#secrets.get(text);
      const forms = known ?? formsOf(text);
      if (known === undefined && forms.length > 0) this.#forgetForms();
      // Set again, so that the oldest comes first in the map's order.
      this.#secrets.delete(text);
      if (forms.length > 0) this.#secrets.set(text, forms);
    }
    for (const oldest of this.#secrets.keys()) {
      if (this.#secrets.size <= keptSecrets + texts.length) break;
      this.#secrets.delete(oldest);
      this.#forgetForms();
    }
  }

  /** The text without secrets. */
  redact(text: string): string {
    if (this.isEmpty || text.length < leastSecretLength) return text;
    const marks = new Uint8Array(text.length);
    this.#markWhole(text, marks);
    this.#markFragments(text, marks);
    return replaceMarked(text, marks);
  }

  /** For a long text: removes only whole secrets and whole lines of secrets. */
  redactWhole(text: string): string {
    if (this.isEmpty) return text;
    if (this.#lastLong?.text !== text) this.#lastLong = { text, shown: this.#redactLong(text) };
    return this.#lastLong.shown;
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

  #redactLong(text: string): string {
    const marks = new Uint8Array(text.length);
    this.#markWhole(text, marks);
    return marks.includes(1) ? replaceMarked(text, marks) : text;
  }

  #markWhole(text: string, marks: Uint8Array): void {
    this.#finder ??= new TextFinder([...this.#secrets.values()].flat());
    this.#finder.mark(text, marks);
  }

  #forgetForms(): void {
    this.#fragments = undefined;
    this.#finder = undefined;
    this.#lastLong = undefined;
  }

  #markFragments(text: string, marks: Uint8Array): void {
    this.#fragments ??= fragmentsOf(this.#secrets.keys());
    for (let at = 0; at + fragmentLength <= text.length; at += 1) {
      if (this.#fragments.has(text.slice(at, at + fragmentLength))) marks.fill(1, at, at + fragmentLength);
    }
  }
}

function fragmentsOf(secrets: Iterable<string>): ReadonlySet<string> {
  const fragments = new Set<string>();
  let characters = 0;
  for (const secret of secrets) {
    if (secret.length > maxFragmented || characters + secret.length > maxFragmentedTogether) continue;
    characters += secret.length;
    for (let at = 0; at + fragmentLength <= secret.length; at += 1) {
      fragments.add(secret.slice(at, at + fragmentLength));
    }
  }
  return fragments;
}

/** Characters that JSON escapes. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON escapes them
const escaped = /["\\\u0000-\u001f]|\p{Surrogate}/u;

function formsOf(text: string): readonly string[] {
  const lines = text.includes('\n') ? text.split('\n') : [];
  const forms = new Set<string>();
  for (const line of [text, ...lines]) {
    const form = line.trim();
    if (form.length < leastSecretLength) continue;
    forms.add(form);
    // A file may have a hundred thousand lines: only those that JSON writes in another way are written twice.
    if (escaped.test(form)) forms.add(JSON.stringify(form).slice(1, -1));
  }
  return [...forms];
}

function replaceMarked(text: string, marks: Uint8Array): string {
  let shown = '';
  for (let at = 0; at < text.length; ) {
    const end = endOfRun(marks, at);
    shown += marks[at] === 1 ? redacted : text.slice(at, end);
    at = end;
  }
  return shown;
}

function endOfRun(marks: Uint8Array, from: number): number {
  let end = from;
  while (end < marks.length && marks[end] === marks[from]) end += 1;
  return end;
}
