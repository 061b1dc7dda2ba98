/** A line of a HAProxy config. */
export interface HaproxyLine {
  readonly text: string;
  /** Without quotes and escapes; empty for a blank line and a comment. */
  readonly words: readonly string[];
  /**
   * `literal`: the words are what HAProxy reads. `dependent`: they depend on a condition (`.if`) or a variable, or have
   * quotes or escapes that are not known here.
   */
  readonly meaning: 'literal' | 'dependent';
}

export interface HaproxySection {
  /** `backend`, for example; '' before the first section. */
  readonly kind: string;
  readonly name: string;
  /** The first one opens the section, except before the first section. */
  readonly lines: readonly HaproxyLine[];
  /** `uncertain`: a condition decides whether the section begins here. Its lines may belong to the one before. */
  readonly start: 'certain' | 'uncertain';
}

/** The keywords that begin a section (HAProxy configuration manual, 2.1 and 4). */
const sectionKeywords = new Set(
  'global defaults frontend backend listen peers mailers userlist resolvers program cache fcgi-app http-errors ring log-forward log-profile traces crt-store acme'.split(
    ' ',
  ),
);

/**
 * Reads a HAProxy config as HAProxy does: by keywords, whatever the columns (configuration manual, 2.1 to 2.4). It never
 * fails: HAProxy itself checks the file.
 */
export function parseHaproxyConfig(text: string): readonly HaproxySection[] {
  const sections: (HaproxySection & { readonly lines: HaproxyLine[] })[] = [
    { kind: '', name: '', lines: [], start: 'certain' },
  ];
  let depth = 0;
  for (const lineText of text.split('\n')) {
    const line = parseLine(lineText);
    const [keyword = '', name = ''] = line.words;
    if (keyword === '.if') depth += 1;
    const conditional = depth > 0;
    if (keyword === '.endif') depth = Math.max(0, depth - 1);
    if (sectionKeywords.has(keyword)) {
      sections.push({ kind: keyword, name, lines: [], start: conditional ? 'uncertain' : 'certain' });
    }
    const section = sections.at(-1);
    const dependent = conditional || section?.start === 'uncertain';
    section?.lines.push(dependent ? { ...line, meaning: 'dependent' } : line);
  }
  return sections;
}

/** What a backslash may precede. HAProxy also knows `\n`, `\xHH` and more, which no name or address has. */
const escapable = new Set([' ', '#', '\\', '"', "'"]);

function parseLine(text: string): HaproxyLine {
  const { words, word, quote, meaning } = scanLine(text);
  return {
    text,
    words: word === undefined ? words : [...words, word],
    meaning: quote === undefined ? meaning : 'dependent',
  };
}

/** The words of a line whose end is not known yet. Undefined if what follows belongs to a comment. */
export function readOpenLine(
  text: string,
): { readonly words: readonly string[] /** What there is of the last word. */; readonly word: string } | undefined {
  const { words, word, comment } = scanLine(text);
  return comment ? undefined : { words, word: word ?? '' };
}

interface LineScan {
  readonly words: string[];
  /** The word at the end, if no space follows it. */
  word: string | undefined;
  quote: string | undefined;
  meaning: HaproxyLine['meaning'];
  comment: boolean;
}

/** As isspace(3) has it: other programs may take a no-break space for one. */
const space = /[ \t\v\f\r]/;

function scanLine(text: string): LineScan {
  return special.test(text) ? scanCharacters(text) : scanPlain(text);
}

/** Characters with a meaning of their own. Most lines have none, and are read ten times as fast. */
const special = /[#\\"'$]/;

function scanPlain(text: string): LineScan {
  const words = text.match(/[^ \t\v\f\r]+/g) ?? [];
  const word = space.test(text.at(-1) ?? ' ') ? undefined : words.pop();
  return { words, word, quote: undefined, meaning: 'literal', comment: false };
}

function scanCharacters(text: string): LineScan {
  const scan: LineScan = { words: [], word: undefined, quote: undefined, meaning: 'literal', comment: false };
  for (let i = 0; i < text.length && !scan.comment; i++) {
    const char = text.charAt(i);
    if (scan.quote === undefined && (char === '#' || space.test(char))) {
      if (scan.word !== undefined) scan.words.push(scan.word);
      scan.word = undefined;
      scan.comment = char === '#';
    } else if (char === '\\' && scan.quote !== "'") {
      i += 1;
      readEscaped(scan, text.charAt(i));
    } else readChar(scan, char);
  }
  return scan;
}

function readEscaped(scan: LineScan, char: string): void {
  if (!escapable.has(char)) scan.meaning = 'dependent';
  scan.word = (scan.word ?? '') + char;
}

function readChar(scan: LineScan, char: string): void {
  scan.word ??= '';
  if (char === scan.quote) scan.quote = undefined;
  else if (scan.quote === undefined && (char === '"' || char === "'")) scan.quote = char;
  else {
    if (char === '$' && scan.quote !== "'") scan.meaning = 'dependent';
    scan.word += char;
  }
}
