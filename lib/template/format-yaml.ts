import { parseAllDocuments } from 'yaml';
import { SwitchmasterError } from '../errors.ts';
import {
  type FormatWriter,
  hasControl,
  Markup,
  type OutputPiece,
  type Placeholder,
  type PrintedValue,
  refuse,
} from './format.ts';
import { YamlFollower, type YamlPlace } from './yaml-follower.ts';
import { escapeUnprintable, hasUnprintable, isAmbiguous, quoteDoubleYaml } from './yaml-scalar.ts';

/*
 * YAML. A value of harmless characters is written unchanged. Any other value is escaped in double quotes, has its quotes
 * doubled in single quotes, and is written unchanged in a comment or a block scalar unless it has control characters. A
 * text that is a whole plain scalar is put in double quotes, if any reader could take it for something else: an
 * indicator, a number, a boolean, a date. Within a longer plain scalar it is refused. After a value that is not
 * harmless, the whole output is parsed twice, once with placeholders for the values. Both must have the same structure and the
 * exact values. So a mistake in this file's parsing of quotes may refuse a value, but never lets one become structure.
 */

/** Has the same meaning in every context, apart from its type. It does not end in a colon, which would make it a key. */
const harmless = /^[A-Za-z0-9_](?:[A-Za-z0-9_./@+:-]*[A-Za-z0-9_./@+-])?$/;

export function yamlWriter(): FormatWriter {
  const follower = new YamlFollower();
  let suspicious = false;
  const blocks = new Set<Placeholder>();
  return {
    literal: (text) => follower.read(text),
    value(placeholder, after) {
      const { value } = placeholder;
      follower.enterScalar();
      if (follower.inProperty)
        refuse(placeholder, 'the name of a tag, an anchor or an alias is written in the template.');
      if (hasHalfPair(value)) refuse(placeholder, 'half of a pair of UTF-16 is no character: readers refuse it.');
      const block = blockAt(follower.blockIndent, value);
      if (block !== undefined) {
        blocks.add(placeholder);
        return block;
      }
      const text = value instanceof Markup ? textOf(value, follower.place) : String(value);
      const written =
        follower.place === 'plain'
          ? writePlain(placeholder, { text, scalar: follower.scalarAround(after) })
          : writeQuoted(placeholder, { text, place: follower.place });
      const trusted = follower.place === 'plain' && value instanceof Markup;
      if (!trusted && (written !== text || !harmless.test(text))) suspicious = true;
      follower.addValue(written, typeof value);
      return written;
    },
    finish(pieces) {
      if (suspicious) proveStructure(pieces);
      if (blocks.size > 0) proveBlocks(pieces, blocks);
    },
  };
}

function hasHalfPair(value: PrintedValue): boolean {
  if (!(value instanceof Markup)) return /\p{Surrogate}/u.test(String(value));
  // As JSON.stringify escapes it.
  return value.format !== 'raw' && /(?<!\\)(?:\\\\)*\\ud[89a-f]/.test(value.text);
}

/** A block of `toYAML` whose first line has that indentation; undefined where it does not begin a line. */
function blockAt(indent: number | undefined, value: PrintedValue): string | undefined {
  if (indent === undefined || !(value instanceof Markup) || value.inline === undefined) return undefined;
  return escapeUnprintable(value.text).replaceAll('\n', `\n${' '.repeat(indent)}`);
}

function textOf({ text, inline }: Markup, place: YamlPlace): string {
  return place === 'plain' ? (inline ?? text) : text;
}

function writePlain(
  placeholder: Placeholder,
  { text, scalar }: { text: string; scalar: ReturnType<YamlFollower['scalarAround']> },
): string {
  const { value } = placeholder;
  // Its characters that cannot be printed are in double quotes.
  if (value instanceof Markup) return escapeUnprintable(text);
  if (text === '') refuse(placeholder, 'an empty value needs quotes: write "{{...}}".');
  const isWhole = scalar?.before === '' && scalar.after === '';
  if (isWhole && typeof value !== 'string') return text;
  if (isWhole && (!harmless.test(text) || isAmbiguous(text))) return `"${quoteDoubleYaml(text)}"`;
  if (!harmless.test(text)) refuse(placeholder, 'this value is only written in double quotes: write "{{...}}".');
  const isText = typeof value === 'string' || scalar?.hasText === true;
  if (!isWhole && scalar !== undefined && isText && isAmbiguous(`${scalar.before}${text}${scalar.after}`)) {
    refuse(placeholder, 'some readers take the whole for a number, a date or a boolean: put it in quotes.');
  }
  return text;
}

function writeQuoted(
  placeholder: Placeholder,
  { text, place }: { text: string; place: Exclude<YamlPlace, 'plain'> },
): string {
  if (harmless.test(text)) return text;
  if (place === 'double') return quoteDoubleYaml(text);
  if (hasControl(text) || hasUnprintable(text)) {
    const reason = place === 'single' ? 'are only written in double quotes.' : 'and new lines are never written here.';
    refuse(placeholder, `control characters ${reason}`);
  }
  return place === 'single' ? text.replaceAll("'", "''") : text;
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

/** A block must mean what it means on one line: at the indentation of the line above, it would join what that begins. */
function proveBlocks(pieces: readonly OutputPiece[], blocks: ReadonlySet<Placeholder>): void {
  const isBlock = (piece: OutputPiece) => piece.kind === 'value' && blocks.has(piece.placeholder);
  const actual = flatten(parseYaml(pieces.map((piece) => piece.text).join('')));
  const inline = pieces.map((piece) => {
    const value = piece.kind === 'value' && isBlock(piece) ? piece.placeholder.value : undefined;
    // A list may have the indentation of its field, a list in brackets must have more.
    return value instanceof Markup ? ` ${value.inline}` : piece.text;
  });
  if (actual.join('\n') === flattenOrEmpty(inline.join(''))) return;
  const [placeholder] = blocks;
  if (placeholder !== undefined) {
    refuse(placeholder, 'a block must be indented further than the line that it belongs to: {{indent 2 (toYAML x)}}.');
  }
}

function flattenOrEmpty(text: string): string {
  try {
    return flatten(readDocuments(text)).join('\n');
  } catch {
    return '';
  }
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
    if (filled === other) continue;
    const isSameNumber = name !== undefined && filled.trim() !== '' && Number(filled) === Number(other);
    if (!isSameNumber) return name ?? '';
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
    return readDocuments(text);
  } catch (cause) {
    const reason = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    throw new SwitchmasterError('template-failed', `The rendered text is not YAML: ${reason}`, { cause });
  }
}

/** Throws if a document is not YAML. The same key twice is no mistake here. */
function readDocuments(text: string): readonly unknown[] {
  return parseAllDocuments(text, { uniqueKeys: false, logLevel: 'error' }).map((document) => {
    const [mistake] = document.errors;
    if (mistake !== undefined) throw mistake;
    return document.toJS({ mapAsMap: true }) as unknown;
  });
}
