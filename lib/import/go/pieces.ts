import { GoSyntaxError, type Place } from './syntax.ts';

export interface Delimiters {
  readonly left: string;
  readonly right: string;
}

/** A text or an action of a template, before the action is read. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string; readonly trimmed: string; readonly trimmedEnd: string }
  | ({ readonly kind: 'comment'; readonly text: string; readonly at: number } & Place)
  /** `text` is what stands between the delimiters; `at` and `end` are offsets of the delimiters. */
  | ({ readonly kind: 'action'; readonly text: string; readonly at: number; readonly end: number } & Place);

const spaceAtEnd = /[ \t\r\n]+$/;
const spaceAtBegin = /^[ \t\r\n]+/;

/** Splits a template at its delimiters, and applies the trim markers. Throws `GoSyntaxError`. */
export function splitTemplate(source: string, { left, right }: Delimiters): readonly Piece[] {
  const pieces: Piece[] = [];
  let [at, trims, line, counted] = [0, false, 1, 0];
  const addText = (end: number, trimsEnd: boolean) => {
    const whole = source.slice(at, end);
    const trimmed = trims ? (spaceAtBegin.exec(whole)?.[0] ?? '') : '';
    const kept = whole.slice(trimmed.length);
    const text = trimsEnd ? kept.replace(spaceAtEnd, '') : kept;
    if (text !== '' || trimmed !== '')
      pieces.push({ kind: 'text', text, trimmed, trimmedEnd: kept.slice(text.length) });
  };
  for (;;) {
    const open = source.indexOf(left, at);
    if (open < 0) break;
    const inner = open + left.length;
    const trimsBefore = /^-[ \t\r\n]/.test(source.slice(inner, inner + 2));
    addText(open, trimsBefore);
    line += source.slice(counted, open).split('\n').length - 1;
    counted = open;
    const begin = trimsBefore ? inner + 1 : inner;
    const close = findClose(source, { begin, right, line });
    const placed = { line, source: source.slice(open, close.end), at: open };
    if (close.kind === 'comment') pieces.push({ ...placed, kind: 'comment', text: close.text });
    else pieces.push({ ...placed, kind: 'action', text: close.text, end: close.end });
    [at, trims] = [close.end, close.trims];
  }
  addText(source.length, false);
  return pieces;
}

interface Close {
  readonly kind: 'action' | 'comment';
  readonly text: string;
  readonly end: number;
  /** Whether a trim marker stands before the right delimiter. */
  readonly trims: boolean;
}

function findClose(source: string, from: { begin: number; right: string; line: number }): Close {
  const { begin, right, line } = from;
  const comment = /^[ \t\r\n]*\/\*/.exec(source.slice(begin, begin + 200));
  if (comment !== null) {
    const end = source.indexOf('*/', begin + comment[0].length);
    const after = /^(?:[ \t\r\n]+-)?/.exec(source.slice(end + 2))?.[0] ?? '';
    if (end < 0 || !source.startsWith(right, end + 2 + after.length))
      throw new GoSyntaxError(line, 'a comment does not end');
    const text = source.slice(begin + comment[0].length, end);
    return { kind: 'comment', text, end: end + 2 + after.length + right.length, trims: after !== '' };
  }
  for (let at = begin; at < source.length; at++) {
    if (source.startsWith(right, at)) {
      const trims = /[ \t\r\n]-$/.test(source.slice(begin - 1, at));
      return { kind: 'action', text: source.slice(begin, trims ? at - 1 : at), end: at + right.length, trims };
    }
    at = skipText(source, at);
  }
  throw new GoSyntaxError(line, 'an action does not end');
}

/** The index of the last character of the text that begins there; the same index if none does. */
function skipText(source: string, at: number): number {
  const pattern = { '"': /"(?:[^"\\\n]|\\.)*"/y, '`': /`[^`]*`/y, "'": /'(?:[^'\\\n]|\\.)*'/y }[source[at] ?? ''];
  if (pattern === undefined) return at;
  pattern.lastIndex = at;
  const match = pattern.exec(source);
  return match === null ? at : at + match[0].length - 1;
}
