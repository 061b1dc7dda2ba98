/* Letters and spaces as Go's `strings` and `cases` packages see them. */

/** Go changes each letter alone: `ß` stays, for its capital is two letters. */
export function upperCase(text: string): string {
  return mapLetters(text, (letter) => iotaCapitalOf(letter) ?? letter.toUpperCase());
}

export function lowerCase(text: string): string {
  return mapLetters(text, (letter) => (letter === 'İ' ? 'i' : letter.toLowerCase()));
}

/** The first letter of each word is a capital; the others stay. */
export function titleCase(text: string): string {
  const words = new Intl.Segmenter('und', { granularity: 'word' }).segment(text);
  return [...words].map(({ segment }) => segment.replace(/[\p{L}\p{Nl}ⓐ-ⓩ]/u, capitalOf)).join('');
}

/** Letters of two signs have a capital of their own for the beginning of a word (UnicodeData.txt, category Lt). */
const digraphs: Readonly<Record<string, string>> = {
  ...variants('Ǆǅǆ'),
  ...variants('Ǉǈǉ'),
  ...variants('Ǌǋǌ'),
  ...variants('Ǳǲǳ'),
};

function variants(letters: string): Readonly<Record<string, string>> {
  const [, title = ''] = letters;
  return Object.fromEntries([...letters].map((letter) => [letter, title]));
}

/** `ﬁ` becomes `Fi`, and `ŉ` becomes `ʼN`. */
function capitalOf(letter: string): string {
  // A Georgian word has either capitals alone or none.
  if (/[ა-ჿ]/.test(letter)) return letter;
  const title = digraphs[letter] ?? iotaCapitalOf(letter);
  if (title !== undefined) return title;
  const capital = letter.toUpperCase();
  const first = [...capital].findIndex((sign) => sign.toLowerCase() !== sign);
  return [...capital].map((sign, i) => (i > first ? sign.toLowerCase() : sign)).join('');
}

/** Greek letters with an iota below have a capital of one sign, for which JavaScript writes two (UnicodeData.txt). */
function iotaCapitalOf(letter: string): string | undefined {
  const code = letter.charCodeAt(0);
  if (/[\u1f80-\u1faf]/.test(letter)) return String.fromCharCode(code | 8);
  if (/[ᾼῌῼ]/.test(letter)) return letter;
  return /[ᾳῃῳ]/.test(letter) ? String.fromCharCode(code + 9) : undefined;
}

/** Removes any of the characters from both ends. */
export function trimCharacters(characters: string, text: string): string {
  const cut = new Set(characters);
  const letters = [...text];
  const first = letters.findIndex((letter) => !cut.has(letter));
  if (first < 0) return '';
  return letters.slice(first, letters.findLastIndex((letter) => !cut.has(letter)) + 1).join('');
}

export function trimSpace(text: string): string {
  const space = '[\\t\\n\\v\\f\\r\\u0085\\p{Z}]+';
  return text.replace(new RegExp(`^${space}`, 'u'), '').replace(new RegExp(`${space}$`, 'u'), '');
}

function mapLetters(text: string, change: (letter: string) => string): string {
  return Array.from(text, (letter) => {
    const changed = change(letter);
    return [...changed].length === 1 ? changed : letter;
  }).join('');
}
