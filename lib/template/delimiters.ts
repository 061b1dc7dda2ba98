import Handlebars from 'handlebars';
import type { TemplateDelimiters } from '../model/template-spec.ts';

/*
 * A template whose tags have other delimiters than braces. Handlebars knows braces only, so its parser gets a text of the same
 * length with braces in their place: lines and columns stay as they are. Characters that the template does not contain stand
 * for the braces and backslashes of its content until it is parsed.
 */

export interface BracedText {
  readonly text: string;
  /** Puts the characters of the content back. */
  restore(program: hbs.AST.Program): void;
}

/** Characters of content that a braced text cannot have as they are. */
interface Stand {
  readonly open: string;
  readonly close: string;
  readonly backslash: string;
  /** For a backslash that makes a delimiter content, and is no content itself. */
  readonly nothing: string;
}

/** Both delimiters have two characters. A backslash before the left one makes it content, as with braces. */
export function brace(text: string, delimiters: TemplateDelimiters): BracedText {
  const stand = chooseStand(text);
  const tags = new TagReader(text, delimiters.right);
  const braced: string[] = [];
  let from = 0;
  for (let at = text.indexOf(delimiters.left); at >= 0; at = text.indexOf(delimiters.left, from)) {
    const { content, isEscape } = readBefore(text.slice(from, at), stand);
    braced.push(content);
    if (isEscape) {
      braced.push(standFor(delimiters.left, stand));
      from = at + 2;
      continue;
    }
    const { inner, end } = tags.read(at);
    braced.push('{{', inner, end === undefined ? '' : '}}');
    from = end === undefined ? text.length : end + 2;
  }
  braced.push(standFor(text.slice(from), stand));
  return { text: braced.join(''), restore: (program) => new Restoring(stand).accept(program) };
}

/** Content before a left delimiter. Two backslashes are one, and no escape. */
function readBefore(before: string, stand: Stand): { readonly content: string; readonly isEscape: boolean } {
  if (!before.endsWith('\\')) return { content: standFor(before, stand), isEscape: false };
  const content = standFor(before.slice(0, -1), stand) + stand.nothing;
  return { content, isEscape: !before.endsWith('\\\\') };
}

function standFor(content: string, { open, close, backslash }: Stand): string {
  return exchange(content, [
    ['{', open],
    ['}', close],
    ['\\', backslash],
  ]);
}

/**
 * Replaces characters by others, and reads the text once: `replaceAll` takes some 100 ms for each of them where most of a
 * mebibyte is replaced.
 */
function exchange(text: string, pairs: readonly (readonly [from: string, to: string])[]): string {
  if (!pairs.some(([from]) => text.includes(from))) return text;
  const codes = new Map(pairs.map(([from, to]) => [from.charCodeAt(0), to.charCodeAt(0)]));
  const bytes = Buffer.from(text, 'utf16le');
  for (let at = 0; at < bytes.length; at += 2) {
    const other = codes.get(bytes.readUInt16LE(at));
    if (other !== undefined) bytes.writeUInt16LE(other, at);
  }
  return bytes.toString('utf16le');
}

function isComment(inner: string): boolean {
  return /^~?!/.test(inner);
}

interface Tag {
  /** What stands between its delimiters, with no brace that would end it. */
  readonly inner: string;
  /** The offset of its right delimiter; undefined if it has none. */
  readonly end: number | undefined;
}

/** The last character of a literal by its first: of texts, and of names in brackets. */
const literalEnds = new Map([
  ['"', '"'],
  ["'", "'"],
  ['[', ']'],
]);

/** Reads tags from the first to the last. Each character is read a few times at most, whatever the text. */
class TagReader {
  readonly #text: string;
  readonly #right: string;
  readonly #longComment: RegExp;
  /** The right delimiter, or what may begin a literal. */
  readonly #stop: RegExp;
  /** What begins a literal, and ends none any more. */
  readonly #unended = new Set<string>();

  constructor(text: string, right: string) {
    this.#text = text;
    this.#right = right;
    const pattern = right.replace(/[^\w]/g, '\\$&');
    this.#longComment = new RegExp(`--~?${pattern}`, 'g');
    this.#stop = new RegExp(`${pattern}|["'[]`, 'g');
  }

  read(at: number): Tag {
    const begin = at + 2;
    const head = this.#text.slice(begin, begin + 4);
    if (!isComment(head)) return this.#readExpression(begin);
    const found = /^~?!--/.test(head) ? this.#endOfLongComment(begin) : this.#text.indexOf(this.#right, begin);
    const end = found < 0 ? undefined : found;
    return { inner: this.#text.slice(begin, end).replace(/[{}]/g, ' '), end };
  }

  #endOfLongComment(begin: number): number {
    this.#longComment.lastIndex = begin;
    return this.#longComment.test(this.#text) ? this.#longComment.lastIndex - this.#right.length : -1;
  }

  /** A brace that would end the tag becomes one that no tag may have. Literals may contain it, and the delimiter. */
  #readExpression(begin: number): Tag {
    const parts: string[] = [];
    let from = begin;
    this.#stop.lastIndex = begin;
    for (let found = this.#stop.exec(this.#text); found !== null; found = this.#stop.exec(this.#text)) {
      const { index } = found;
      if (found[0] === this.#right) {
        parts.push(this.#withoutClose(from, index));
        return { inner: parts.join(''), end: index };
      }
      const last = this.#endOfLiteral(index);
      if (last === index) this.#stop.lastIndex = index + 1;
      else {
        parts.push(this.#withoutClose(from, index), this.#text.slice(index, last + 1));
        from = last + 1;
        this.#stop.lastIndex = from;
      }
    }
    return { inner: parts.join('') + this.#withoutClose(from), end: undefined };
  }

  #withoutClose(from: number, end?: number): string {
    return exchange(this.#text.slice(from, end), [['}', '{']]);
  }

  /**
   * The last offset of the literal at `index`, or `index` itself where none is. As in Handlebars, a backslash before its
   * last character continues it, unless no other can end it.
   */
  #endOfLiteral(index: number): number {
    const first = this.#text.charAt(index);
    const last = literalEnds.get(first);
    if (last === undefined || this.#unended.has(first)) return index;
    let end = index;
    for (let next = this.#text.indexOf(last, index + 1); next >= 0; next = this.#text.indexOf(last, next + 1)) {
      end = next;
      if (this.#text.charAt(next - 1) !== '\\') break;
    }
    if (end === index) this.#unended.add(first);
    return end;
  }
}

/** Characters for private use that the template does not contain (Unicode, 23.5). */
function chooseStand(text: string): Stand {
  const used = new Set(text.match(/[\u{e000}-\u{f8ff}]/gu));
  const free: string[] = [];
  for (let code = 0xe000; code <= 0xf8ff && free.length < 4; code += 1) {
    const character = String.fromCharCode(code);
    if (!used.has(character)) free.push(character);
  }
  const [open, close, backslash, nothing] = free;
  if (open === undefined || close === undefined || backslash === undefined || nothing === undefined)
    throw new RangeError('a template with delimiters cannot have every character for private use');
  return { open, close, backslash, nothing };
}

class Restoring extends Handlebars.Visitor {
  readonly #stand: Stand;

  constructor(stand: Stand) {
    super();
    this.#stand = stand;
  }

  override ContentStatement(node: hbs.AST.ContentStatement): void {
    const { open, close, backslash, nothing } = this.#stand;
    const restored = (text: string) =>
      exchange(text, [
        [open, '{'],
        [close, '}'],
        [backslash, '\\'],
      ]).replaceAll(nothing, '');
    node.value = restored(node.value);
    node.original = restored(String(node.original)) as unknown as typeof node.original;
  }
}
