import { redacted } from '../model/redaction.ts';
import {
  type FormatWriter,
  Markup,
  type OutputPiece,
  type Placeholder,
  showPiece,
  type TemplateFormat,
} from './format.ts';
import { envWriter } from './format-env.ts';
import { haproxyWriter } from './format-haproxy.ts';
import { jsonWriter } from './format-json.ts';
import { rawWriter, wordWriter } from './format-words.ts';
import { yamlWriter } from './format-yaml.ts';
import { KeptPass } from './kept-passes.ts';
import { withKeywords } from './line-keywords.ts';

const writers: Record<TemplateFormat, () => FormatWriter> = {
  json: jsonWriter,
  yaml: yamlWriter,
  haproxy: () => withKeywords('haproxy', haproxyWriter()),
  redis: () => withKeywords('redis', wordWriter('redis')),
  conf: () => withKeywords('conf', wordWriter('conf')),
  env: envWriter,
  text: rawWriter,
};

export interface WrittenOutput {
  readonly text: string;
  /** The text with `[secret]` in place of every value of `file` or `env`. */
  readonly shown: string;
}

type Written = string | Placeholder;
type Piece = Written | KeptPass;

/** The pieces of a pass. `keep` gets what they are written as, if they begin and end with a line. */
export interface OutputSpan {
  readonly start: number;
  readonly end: number;
  readonly keep: (written: Pick<KeptPass, 'pieces' | 'text'>) => void;
}

/**
 * Writes the value of every placeholder. Throws `value-refused`, or `template-failed` if the output cannot be parsed. `spans`, in order:
 * passes to be kept.
 */
export function writeOutput(
  format: TemplateFormat,
  pieces: readonly Piece[],
  spans: readonly OutputSpan[] = [],
): WrittenOutput {
  const writer = writers[format]();
  const isAtStart = () => writer.isAtStart?.() === true;
  const written: OutputPiece[] = [];
  const whole: { readonly span: OutputSpan; readonly text: string }[] = [];
  let begun: number | undefined;
  let list = pieces;
  for (let [i, next] = [0, 0]; i < list.length; i += 1) {
    if (list[i] instanceof KeptPass && !isAtStart()) list = [...list.slice(0, i), ...list.slice(i).flatMap(piecesOf)];
    // In other pieces, the spans are elsewhere.
    const span = list === pieces ? spans[next] : undefined;
    if (span?.start === i) begun = isAtStart() ? written.length : undefined;
    written.push(writePiece(writer, list, i));
    if (span?.end !== i + 1) continue;
    next += 1;
    if (begun !== undefined && isAtStart()) whole.push({ span, text: joinPieces(written.slice(begun)) });
  }
  writer.finish(written);
  for (const { span, text } of whole) span.keep({ pieces: pieces.slice(span.start, span.end) as Written[], text });
  const text = joinPieces(written);
  const secret = pieces.some((piece) => isPlaceholder(piece) && piece.secrecy === 'secret');
  return { text, shown: secret ? written.map(showPiece).join('') : text };
}

function writePiece(writer: FormatWriter, pieces: readonly Piece[], at: number): OutputPiece {
  const piece = pieces[at] as Piece;
  if (piece instanceof KeptPass) return { kind: 'literal', text: piece.text };
  if (typeof piece === 'string') {
    writer.literal(piece);
    return { kind: 'literal', text: piece };
  }
  const { value } = piece;
  const isRaw = value instanceof Markup && value.format === 'raw';
  const text = isRaw ? value.text : writer.value(piece, textAfter(pieces, at));
  if (isRaw) writer.literal(text);
  return { kind: 'value', text, shown: piece.secrecy === 'open' ? text : redactedLike(text), placeholder: piece };
}

function joinPieces(pieces: readonly OutputPiece[]): string {
  return pieces.map(({ text }) => text).join('');
}

function isPlaceholder(piece: Piece): piece is Placeholder {
  return typeof piece !== 'string' && !(piece instanceof KeptPass);
}

function piecesOf(piece: Piece): readonly Piece[] {
  return piece instanceof KeptPass ? piece.pieces : [piece];
}

/** The literal text up to the next value, with a letter in the place of that value; undefined if there is no text. */
function textAfter(pieces: readonly Piece[], at: number): string | undefined {
  const [next = '', second] = piecesOf(pieces[at + 1] ?? '');
  if (typeof next !== 'string') return undefined;
  const valueFollows = second !== undefined || at + 2 < pieces.length;
  if (next === '' && valueFollows) return undefined;
  return valueFollows ? `${next}x` : next;
}

/** A whole JSON string stays one. */
function redactedLike(text: string): string {
  return text.startsWith('"') && text.endsWith('"') ? `"${redacted}"` : redacted;
}
