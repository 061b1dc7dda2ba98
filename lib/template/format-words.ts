import { type FormatWriter, hasControl, Markup, type Placeholder, refuse } from './format.ts';

/*
 * Formats of lines and words: haproxy.cfg, KEY=value files, and conf files of unknown kind.
 *
 * The context decides what a value may contain. In a bare word: only characters without a meaning in any of these programs,
 * so no space, quote, `#`, `;`, `$`, `%`, brace or backslash. In quotes: what cannot end the quotes and is not expanded, or
 * can be escaped. In a comment: anything but control characters. A new line is never permitted.
 */

type Dialect = 'haproxy' | 'conf' | 'env';
type Place = 'word' | 'double' | 'single' | 'comment';

const bareWord: Record<Dialect, RegExp> = {
  haproxy: /^[A-Za-z0-9_.:/@+=~,[\]*-]*$/,
  conf: /^[A-Za-z0-9_.:/@+=,[\]*-]*$/,
  // No `~` and `*`: a shell that reads the file may expand them.
  env: /^[A-Za-z0-9_.:/@+=,[\]-]*$/,
};

/** In double quotes HAProxy knows backslash escapes and `${VAR}` (configuration manual, 2.2); of the others not all do. */
const refusedInDouble: Record<Dialect, RegExp | undefined> = {
  haproxy: undefined,
  conf: /["\\$]/,
  env: /["\\$`]/,
};

export function wordWriter(dialect: Dialect): FormatWriter {
  const follower = new WordFollower(dialect);
  return {
    literal: (text) => follower.read(text),
    value(placeholder) {
      if (follower.escaped) refuse(placeholder, 'a value cannot follow a backslash.');
      const text = wordText(placeholder, dialect, follower.place);
      follower.readValue(placeholder, text);
      return text;
    },
    finish: () => follower.endWord(),
  };
}

/** Follows the literal text, so that it knows what surrounds the next value. */
class WordFollower {
  place: Place = 'word';
  escaped = false;
  readonly #dialect: Dialect;
  #wordHasText = false;
  #emptyWord: Placeholder | undefined;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  read(text: string): void {
    for (const char of text) this.#readChar(char);
  }

  readValue(placeholder: Placeholder, text: string): void {
    if (this.place !== 'word') return;
    if (text !== '') this.#startText();
    else if (!this.#wordHasText) this.#emptyWord = placeholder;
  }

  /** Throws `value-refused` when the word that ends is an empty value. */
  endWord(): void {
    if (this.#emptyWord !== undefined) {
      refuse(this.#emptyWord, 'an empty value would let the next words take its place.');
    }
    this.#wordHasText = false;
  }

  #readChar(char: string): void {
    if (char === '\n') {
      this.endWord();
      this.place = 'word';
      this.escaped = false;
    } else if (this.escaped) {
      this.escaped = false;
      this.#startText();
    } else if (char === '\\' && (this.place === 'word' || this.place === 'double')) {
      this.escaped = true;
    } else if (this.place === 'word') {
      this.#readWordChar(char);
    } else if (char === closing[this.place]) {
      this.place = 'word';
    }
  }

  #readWordChar(char: string): void {
    if (char === '#' && (this.#dialect === 'haproxy' || !this.#wordHasText)) {
      this.endWord();
      this.place = 'comment';
    } else if (char === ' ' || char === '\t') {
      this.endWord();
    } else {
      this.#startText();
      if (char === '"') this.place = 'double';
      else if (char === "'") this.place = 'single';
    }
  }

  #startText(): void {
    this.#wordHasText = true;
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
    finish: () => undefined,
  };
}

function wordText(placeholder: Placeholder, dialect: Dialect, place: Place): string {
  const text = plainText(placeholder);
  if (hasControl(text)) refuse(placeholder, 'control characters and new lines are never written into a config.');
  switch (place) {
    case 'word':
      if (!bareWord[dialect].test(text)) {
        refuse(placeholder, 'only letters, digits and a few signs are allowed in a bare word here.');
      }
      return text;
    case 'double':
      if (refusedInDouble[dialect]?.test(text))
        refuse(placeholder, 'quotes, backslashes and $ cannot be written here.');
      return dialect === 'haproxy' ? text.replace(/["\\$]/g, '\\$&') : text;
    case 'single':
      if (/['\\]/.test(text)) refuse(placeholder, 'quotes and backslashes cannot be written in single quotes.');
      return text;
    case 'comment':
      return text;
  }
}

function plainText({ value }: Placeholder): string {
  return value instanceof Markup ? value.text : String(value);
}
