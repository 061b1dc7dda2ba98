import { type FormatWriter, type Hole, hasControl, Markup, refuse } from './format.ts';

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
  let place: Place = 'word';
  let escaped = false;
  let wordHasText = false;
  let emptyWord: Hole | undefined;

  const endWord = () => {
    if (emptyWord !== undefined) refuse(emptyWord, 'an empty value would let the words after it take its place.');
    wordHasText = false;
  };
  const startText = () => {
    wordHasText = true;
    emptyWord = undefined;
  };
  const readChar = (char: string) => {
    if (char === '\n') {
      endWord();
      place = 'word';
      escaped = false;
    } else if (escaped) {
      escaped = false;
      startText();
    } else if (place === 'comment') {
      return;
    } else if (char === '\\' && place !== 'single') {
      escaped = true;
    } else if (place === 'double' || place === 'single') {
      if (char === (place === 'double' ? '"' : "'")) place = 'word';
    } else if (char === '#' && (dialect === 'haproxy' || !wordHasText)) {
      endWord();
      place = 'comment';
    } else if (char === ' ' || char === '\t') {
      endWord();
    } else {
      startText();
      if (char === '"') place = 'double';
      else if (char === "'") place = 'single';
    }
  };

  return {
    literal(text) {
      for (const char of text) readChar(char);
    },
    value(hole) {
      if (escaped) refuse(hole, 'a value cannot follow a backslash.');
      const text = wordText(hole, dialect, place);
      if (place !== 'word') return text;
      if (text !== '') startText();
      else if (!wordHasText) emptyWord = hole;
      return text;
    },
    finish: endWord,
  };
}

/** The only rule: a value must not contain a new line. */
export function rawWriter(): FormatWriter {
  return {
    literal: () => undefined,
    value(hole) {
      const text = plainText(hole);
      if (hasControl(text)) refuse(hole, 'control characters and new lines are never written.');
      return text;
    },
    finish: () => undefined,
  };
}

function wordText(hole: Hole, dialect: Dialect, place: Place): string {
  const text = plainText(hole);
  if (hasControl(text)) refuse(hole, 'control characters and new lines are never written into a config.');
  switch (place) {
    case 'word':
      if (!bareWord[dialect].test(text)) {
        refuse(hole, 'only letters, digits and a few signs may stand in a bare word here.');
      }
      return text;
    case 'double':
      if (refusedInDouble[dialect]?.test(text)) refuse(hole, 'quotes, backslashes and $ cannot be written here.');
      return dialect === 'haproxy' ? text.replace(/["\\$]/g, '\\$&') : text;
    case 'single':
      if (/['\\]/.test(text)) refuse(hole, 'quotes and backslashes cannot be written in single quotes.');
      return text;
    case 'comment':
      return text;
  }
}

function plainText({ value }: Hole): string {
  return value instanceof Markup ? value.text : String(value);
}
