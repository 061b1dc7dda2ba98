import { type FormatWriter, hasControl, Markup, type Placeholder, refuse } from './format.ts';
import { type Dialect, quoteDouble, quoteSingle, quoteWord } from './quoting.ts';

/*
 * Formats of lines and words: haproxy.cfg, redis.conf, KEY=value files, and conf files of unknown kind.
 *
 * The context decides how a value is written. In a bare word, characters without a meaning in any of these programs are
 * written unchanged, so no space, quote, `#`, `;`, `$`, `%`, brace or backslash. Any other value is quoted as the program
 * reads it, or refused where there is no such way. A new line is never permitted.
 */

type Place = 'word' | 'double' | 'single' | 'comment';

const bareWord: Record<Dialect, RegExp> = {
  haproxy: /^[A-Za-z0-9_.:/@+=~,[\]*-]*$/,
  redis: /^[A-Za-z0-9_.:/@+=~,[\]*-]*$/,
  conf: /^[A-Za-z0-9_.:/@+=,[\]*-]*$/,
  // No `~` and `*`: a shell that reads the file may expand them.
  env: /^[A-Za-z0-9_.:/@+=,[\]-]*$/,
};

/** `prepare` gives the text of a value, before any quotes. */
export function wordWriter(dialect: Dialect, prepare = plainText): FormatWriter {
  const follower = new WordFollower(dialect);
  return {
    literal: (text) => follower.read(text),
    value(placeholder) {
      if (follower.escaped) refuse(placeholder, 'a value cannot follow a backslash.');
      if (dialect === 'conf' && follower.followsPercent(prepare(placeholder))) refuse(placeholder, percentReason);
      const text = write(placeholder, { dialect, follower, text: prepare(placeholder) });
      follower.readValue(placeholder, text);
      return text;
    },
    isAtStart: () => follower.isAtStart,
    finish: () => follower.endWord(),
  };
}

/** Follows the literal text, so that it knows what surrounds the next value. */
class WordFollower {
  place: Place = 'word';
  escaped = false;
  /** What the current word has so far. */
  word = '';
  /** Whether a `%` that is not doubled is the last character. */
  #percent = false;
  readonly #dialect: Dialect;
  #lineHasText = false;
  #emptyWord: Placeholder | undefined;
  /** A value that was quoted as a whole word. Nothing may follow it in that word. */
  #wholeWord: Placeholder | undefined;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  get isAtStart(): boolean {
    const isWithin = this.escaped || this.#percent || this.#lineHasText || this.#emptyWord || this.#wholeWord;
    return this.place === 'word' && this.word === '' && !isWithin;
  }

  read(text: string): void {
    for (const char of text) this.#readChar(char);
  }

  /** Whether the text would be what a program evaluates after a `%`, as in `%h` of systemd. A digit is not. */
  followsPercent(text: string): boolean {
    return this.#percent && this.place !== 'comment' && /^\D/.test(text);
  }

  readValue(placeholder: Placeholder, text: string): void {
    if (text !== '') this.#percent = false;
    if (this.place !== 'word') return;
    if (text === '') {
      if (this.word === '') this.#emptyWord = placeholder;
      return;
    }
    this.#addText(text);
    if (this.#dialect !== 'haproxy' && /^["']/.test(text)) this.#wholeWord = placeholder;
  }

  /** Throws `value-refused` when the word that ends is an empty value. */
  endWord(): void {
    if (this.#emptyWord !== undefined) {
      refuse(this.#emptyWord, 'an empty value would let the next words take its place.');
    }
    this.word = '';
    this.#wholeWord = undefined;
  }

  #readChar(char: string): void {
    this.#percent = char === '%' && !this.#percent;
    if (char === '\n') {
      this.endWord();
      this.place = 'word';
      this.escaped = false;
      this.#lineHasText = false;
    } else if (this.escaped) {
      this.escaped = false;
      this.#addText(char);
    } else if (char === '\\' && (this.place === 'word' || this.place === 'double')) {
      this.escaped = true;
    } else if (this.place === 'word') {
      this.#readWordChar(char);
    } else if (char === closing[this.place]) {
      this.place = 'word';
    }
  }

  #readWordChar(char: string): void {
    if (char === '#' && this.#startsComment()) {
      this.endWord();
      this.place = 'comment';
    } else if (char === ' ' || char === '\t' || char === '\r') {
      this.endWord();
    } else {
      this.#addText(char);
      if (char === '"') this.place = 'double';
      else if (char === "'") this.place = 'single';
    }
  }

  #startsComment(): boolean {
    if (this.#dialect === 'haproxy') return true;
    return this.#dialect === 'redis' ? !this.#lineHasText : this.word === '';
  }

  #addText(text: string): void {
    if (this.#wholeWord !== undefined) {
      refuse(this.#wholeWord, `it needs quotes, and ${JSON.stringify(text)} follows it in the same word.`);
    }
    this.word += text;
    this.#lineHasText = true;
    this.#emptyWord = undefined;
  }
}

/** The character that ends quotes. A comment ends with its line. */
const closing: Partial<Record<Place, string>> = { double: '"', single: "'" };

/** The only rule: a value must not contain a new line. */
export function rawWriter(): FormatWriter {
  return {
    literal: () => undefined,
    value(placeholder) {
      const text = plainText(placeholder);
      if (hasControl(text)) refuse(placeholder, 'control characters and new lines are never written.');
      return text;
    },
    isAtStart: () => true,
    finish: () => undefined,
  };
}

function write(
  placeholder: Placeholder,
  { dialect, follower, text }: { dialect: Dialect; follower: WordFollower; text: string },
): string {
  if (hasControl(text)) refuse(placeholder, 'control characters and new lines are never written into a config.');
  switch (follower.place) {
    case 'word': {
      const bare = bareWord[dialect].test(text) && !(text === '' && dialect === 'redis' && follower.word === '');
      const written = bare ? text : quoteWord(dialect, { text, before: follower.word });
      return written ?? refuse(placeholder, wordReason(dialect));
    }
    case 'double':
      return quoteDouble(dialect, text) ?? refuse(placeholder, quotesReason(dialect));
    case 'single':
      return quoteSingle(dialect, text) ?? refuse(placeholder, quotesReason(dialect));
    case 'comment':
      return text.endsWith('\\') && continued.has(dialect) ? refuse(placeholder, commentReason) : text;
  }
}

/** A backslash at the end of a comment takes the next line into it, for systemd and for Apache. */
const continued = new Set<Dialect>(['conf', 'env']);
const commentReason = 'a backslash at the end of a comment would make the next line a part of it for some programs.';

const percentReason =
  'some programs evaluate it with the % before it. Write %% in the template for a percent sign, or set the format of the template.';

function quotesReason(dialect: Dialect): string {
  const refused = 'quotes, backslashes, ` and $ cannot be written within these quotes';
  return dialect === 'conf' ? `${refused}, and a % only before a digit.` : `${refused}.`;
}

function wordReason(dialect: Dialect): string {
  const allowed = 'only letters, digits and a few signs are allowed in a bare word here';
  switch (dialect) {
    case 'conf':
      return `${allowed}. Set the template's format, so that the value can be quoted, or quote it in the template.`;
    case 'env':
      return `${allowed}. A value that is all of KEY=value is quoted, unless it has a single quote and one of " \\ $ \`, two backslashes, or one at its end.`;
    case 'haproxy':
    case 'redis':
      return `${allowed}.`;
  }
}

/** A value as text. */
export function plainText({ value }: Placeholder): string {
  return value instanceof Markup ? value.text : String(value);
}
