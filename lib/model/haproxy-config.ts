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
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  let meaning: HaproxyLine['meaning'] = 'literal';
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (quote === undefined && char === '#') break;
    if (quote === undefined && /\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    word ??= '';
    if (char === quote) quote = undefined;
    else if (quote === undefined && (char === '"' || char === "'")) quote = char;
    else if (char === '\\' && quote !== "'") {
      i += 1;
      const escaped = text.charAt(i);
      if (!escapable.has(escaped)) meaning = 'dependent';
      word += escaped;
    } else {
      if (char === '$' && quote !== "'") meaning = 'dependent';
      word += char;
    }
  }
  if (word !== undefined) words.push(word);
  return { text, words, meaning: quote === undefined ? meaning : 'dependent' };
}
