import { unquote } from './quoting.ts';
import { GoSyntaxError } from './syntax.ts';

/** A word of an action. `spaced`: whether space stands before it. */
export type Token = { readonly line: number; readonly spaced: boolean } & (
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'number'; readonly written: string }
  | { readonly kind: 'word'; readonly word: string }
  /** `.Name`. */
  | { readonly kind: 'field'; readonly name: string }
  /** `$name`, and `$` with an empty name. */
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'sign'; readonly sign: '.' | '(' | ')' | '|' | ':=' | '=' | ',' }
);

const letter = String.raw`[\p{L}_][\p{L}\p{Nd}_]*`;
const patterns = {
  space: /[ \t\r\n]+/y,
  text: /"(?:[^"\\\n]|\\.)*"/y,
  raw: /`[^`]*`/y,
  character: /'(?:[^'\\\n]|\\[^\n][^'\n]*)'/y,
  number: /[+-]?(?:0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)/y,
  field: new RegExp(String.raw`\.(${letter})`, 'uy'),
  variable: new RegExp(String.raw`\$(${letter})?`, 'uy'),
  word: new RegExp(letter, 'uy'),
  sign: /:=|[.()|=,]/y,
} as const;

/** Splits the text of an action. Throws `GoSyntaxError`. */
export function tokenize(text: string, firstLine: number): readonly Token[] {
  const tokens: Token[] = [];
  let [at, line, spaced] = [0, firstLine, true];
  while (at < text.length) {
    const space = match('space', text, at);
    if (space !== undefined) {
      line += space[0].split('\n').length - 1;
      at += space[0].length;
      spaced = true;
      continue;
    }
    const { token, length } = readToken({ text, at }, { line, spaced });
    tokens.push(token);
    line += text.slice(at, at + length).split('\n').length - 1;
    at += length;
    spaced = false;
  }
  return tokens;
}

function readToken(
  { text, at }: { readonly text: string; readonly at: number },
  where: { readonly line: number; readonly spaced: boolean },
): { readonly token: Token; readonly length: number } {
  const quoted = match('text', text, at) ?? match('raw', text, at);
  if (quoted !== undefined)
    return { token: { ...where, kind: 'text', value: unquote(quoted[0], where.line) }, length: quoted[0].length };
  const character = match('character', text, at);
  if (character !== undefined) {
    const code = unquote(
      `"${character[0].slice(1, -1).replace(/^"$/, '\\"').replace(/^\\'$/, "'")}"`,
      where.line,
    ).codePointAt(0);
    return { token: { ...where, kind: 'number', written: String(code) }, length: character[0].length };
  }
  const number = match('number', text, at);
  if (number !== undefined && /\d/.test(number[0]))
    return { token: { ...where, kind: 'number', written: number[0] }, length: number[0].length };
  const field = match('field', text, at);
  if (field !== undefined) return { token: { ...where, kind: 'field', name: field[1] ?? '' }, length: field[0].length };
  const variable = match('variable', text, at);
  if (variable !== undefined)
    return { token: { ...where, kind: 'variable', name: variable[1] ?? '' }, length: variable[0].length };
  const word = match('word', text, at);
  if (word !== undefined) return { token: { ...where, kind: 'word', word: word[0] }, length: word[0].length };
  const sign = match('sign', text, at);
  if (sign === undefined) throw new GoSyntaxError(where.line, describeUnexpected(text.slice(at)));
  return { token: { ...where, kind: 'sign', sign: sign[0] as '.' }, length: sign[0].length };
}

function describeUnexpected(rest: string): string {
  const [first = ''] = rest;
  return `"'\``.includes(first) ? 'a text does not end' : `unexpected ${JSON.stringify(first)}`;
}

function match(kind: keyof typeof patterns, text: string, at: number): RegExpExecArray | undefined {
  const pattern = patterns[kind];
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}
