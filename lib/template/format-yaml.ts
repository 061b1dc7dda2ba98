import { parse } from 'yaml';
import { SwitchmasterError } from '../errors.ts';
import { type FormatWriter, hasControl, Markup, type OutputPiece, type Placeholder, refuse } from './format.ts';

/*
 * YAML. A value of harmless characters is written unchanged anywhere. Any other value is escaped in double quotes, has its
 * quotes doubled in single quotes, is written unchanged in a comment or a block scalar unless it contains control characters,
 * and is refused in a plain scalar. After such a value, the whole output is parsed twice, once with placeholders for the
 * values. Both must have the same structure and the exact values. So a mistake in this file's parsing of quotes may refuse a
 * value, but never lets one become structure.
 */

type Place = 'plain' | 'double' | 'single' | 'comment' | 'block';

/** Has the same meaning in every context. It does not end in a colon, which would make it a key. */
const harmless = /^[A-Za-z0-9_](?:[A-Za-z0-9_./@+:-]*[A-Za-z0-9_./@+-])?$/;

export function yamlWriter(): FormatWriter {
  const follower = new YamlFollower();
  let suspicious = false;
  return {
    literal: (text) => follower.read(text),
    value(placeholder) {
      const text = placeholder.value instanceof Markup ? placeholder.value.text : String(placeholder.value);
      follower.wordRead();
      if (placeholder.value instanceof Markup && follower.place === 'plain') return text;
      if (harmless.test(text)) return text;
      suspicious = true;
      return write(placeholder, text, follower.place);
    },
    finish(pieces) {
      if (suspicious) proveStructure(pieces);
    },
  };
}

function write(placeholder: Placeholder, text: string, place: Place): string {
  switch (place) {
    case 'plain':
      if (text === '') refuse(placeholder, 'an empty value needs quotes: write "{{...}}".');
      return refuse(placeholder, 'this value is only written in double quotes: write "{{...}}".');
    case 'double':
      // JSON's escapes are a part of YAML's (YAML 1.2, 5.7); JSON does not escape the other control characters.
      return JSON.stringify(text)
        .slice(1, -1)
        .replace(/[\u007f-\u009f\u2028\u2029\ufeff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
    case 'single':
      if (hasControl(text)) refuse(placeholder, 'control characters are only written in double quotes.');
      return text.replaceAll("'", "''");
    case 'block':
    case 'comment':
      if (hasControl(text)) refuse(placeholder, 'control characters and new lines are never written here.');
      return text;
  }
}

/** Follows literal YAML closely enough to know what kind of scalar the next character belongs to. */
class YamlFollower {
  place: Place = 'plain';
  /** The line so far, outside of quotes: what decides whether a quote opens a scalar. */
  #line = '';
  #escaped = false;
  /** A single quote has just ended its scalar. A second one is a doubled quote, and the scalar continues. */
  #closed = false;
  /** Indentation of the line whose `|` or `>` began the block. */
  #blockIndent = -1;

  /** A value follows, which begins with something other than a space. */
  wordRead(): void {
    this.#closed = false;
    if (this.place === 'plain' || this.place === 'block') this.#line += 'x';
    this.#enterBlock('x');
  }

  read(text: string): void {
    for (const char of text) this.#readChar(char);
  }

  #readChar(char: string): void {
    if (this.place === 'double' || this.place === 'single') {
      this.#readQuoted(char);
    } else if (char === '\n') {
      if (this.place === 'plain') this.#startBlock();
      this.place = this.#blockIndent >= 0 ? 'block' : 'plain';
      this.#line = '';
    } else if (this.place === 'block') {
      this.#enterBlock(char);
      this.#line += char;
    } else if (this.place === 'plain') {
      const reopens = char === "'" && this.#closed;
      this.#closed = false;
      if (reopens) this.place = 'single';
      else if ((char === '"' || char === "'") && opensScalar(this.#line))
        this.place = char === '"' ? 'double' : 'single';
      else if (char === '#' && /(?:^|\s)$/.test(this.#line)) this.place = 'comment';
      this.#line += char;
    }
  }

  #readQuoted(char: string): void {
    const quote = this.place === 'double' ? '"' : "'";
    if (this.#escaped) this.#escaped = false;
    else if (this.place === 'double' && char === '\\') this.#escaped = true;
    else if (char === quote) {
      this.#closed = this.place === 'single';
      this.place = 'plain';
    }
  }

  #startBlock(): void {
    if (/(?:^|[\s:-])[|>][+-]?[1-9]?[+-]?\s*$/.test(this.#line)) this.#blockIndent = indentOf(this.#line);
  }

  /** A line of text that is not indented further ends the block. */
  #enterBlock(char: string): void {
    if (this.place !== 'block' || /\s/.test(char) || /\S/.test(this.#line)) return;
    if (this.#line.length > this.#blockIndent) return;
    this.#blockIndent = -1;
    this.place = 'plain';
  }
}

/** A quote begins a scalar at the start of a line or after an indicator; within a plain scalar it is a character. */
function opensScalar(line: string): boolean {
  return /(?:^\s*|[[{,]\s*|(?:^|\s)[-?]\s+|:\s+)$/.test(line);
}

function indentOf(line: string): number {
  return /^ */.exec(line)?.[0].length ?? 0;
}

function proveStructure(pieces: readonly OutputPiece[]): void {
  const values = new Map<string, OutputPiece & { kind: 'value' }>();
  const skeleton = pieces
    .map((piece, i) => {
      if (piece.kind === 'literal' || piece.placeholder.value instanceof Markup) return piece.text;
      values.set(`zq${i}qz`, piece);
      return `zq${i}qz`;
    })
    .join('');
  const expected = parseYaml(skeleton);
  const actual = parseYaml(pieces.map((piece) => piece.text).join(''));
  const mistaken = findDifference(expected, actual, values);
  if (mistaken === undefined) return;
  const placeholder = values.get(mistaken)?.placeholder;
  if (placeholder !== undefined) refuse(placeholder, 'this value would change the structure of the YAML around it.');
  throw new SwitchmasterError('value-refused', 'A value would change the structure of the YAML around it.');
}

/** The placeholder whose value is not a scalar of its own; '' if the structures differ. */
function findDifference(
  expected: unknown,
  actual: unknown,
  values: ReadonlyMap<string, OutputPiece & { kind: 'value' }>,
): string | undefined {
  const mine = flatten(expected);
  const theirs = flatten(actual);
  if (mine.length !== theirs.length) return '';
  for (const [i, token] of mine.entries()) {
    const other = theirs[i] ?? '';
    let name: string | undefined;
    const filled = token.replace(/zq\d+qz/g, (placeholder) => {
      name = placeholder;
      return String(values.get(placeholder)?.placeholder.value ?? placeholder);
    });
    if (filled !== other && !(name !== undefined && Number(filled) === Number(other))) return name ?? '';
  }
  return undefined;
}

/** Structure and scalars in order, as texts. */
function flatten(node: unknown): string[] {
  const out: string[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) {
      out.push(`list of ${value.length}`);
      value.forEach(visit);
    } else if (value instanceof Map) {
      out.push(`map of ${value.size}`);
      for (const [key, item] of value) {
        visit(key);
        visit(item);
      }
    } else {
      out.push(String(value));
    }
  };
  visit(node);
  return out;
}

function parseYaml(text: string): unknown {
  try {
    return parse(text, { mapAsMap: true, logLevel: 'silent' });
  } catch (cause) {
    const reason = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    throw new SwitchmasterError('template-failed', `The rendered text is not YAML: ${reason}`, { cause });
  }
}
