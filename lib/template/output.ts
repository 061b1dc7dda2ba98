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

type Piece = string | Placeholder | KeptPass;

/** Pieces that may be kept, from `start` to before `end`. `keep` gets what they are written as, if they begin and end with a line. */
export interface OutputSpan {
  readonly start: number;
  readonly end: number;
  readonly keep: (text: string) => void;
}

interface Output {
  readonly pieces: readonly Piece[];
  /** In order. None is empty, and none is within another. */
  readonly spans?: readonly OutputSpan[];
}

/**
 * Writes the value of every placeholder. undefined where a kept pass does not follow the end of a line. Throws `value-refused`, or
 * `template-failed` if the output cannot be parsed.
 */
export function writeOutput(format: TemplateFormat, { pieces, spans = [] }: Output): WrittenOutput | undefined {
  const writer = writers[format]();
  const isAtStart = () => writer.isAtStart?.() === true;
  const written: OutputPiece[] = [];
  const whole: OutputSpan[] = [];
  let next = 0;
  let begun = false;
  for (let i = 0; i < pieces.length; i += 1) {
    if (pieces[i] instanceof KeptPass && !isAtStart()) return undefined;
    const span = spans[next];
    if (span?.start === i) begun = isAtStart();
    written.push(writePiece(writer, pieces, i));
    if (span?.end !== i + 1) continue;
    if (begun && isAtStart()) whole.push(span);
    next += 1;
  }
  writer.finish(written);
  for (const { start, end, keep } of whole) keep(joinPieces(written.slice(start, end)));
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

/** The literal text up to the next value, with a letter in the place of that value; undefined if there is no text. */
function textAfter(pieces: readonly Piece[], at: number): string | undefined {
  const next = pieces[at + 1] ?? '';
  if (typeof next !== 'string') return undefined;
  const valueFollows = at + 2 < pieces.length;
  if (next === '' && valueFollows) return undefined;
  return valueFollows ? `${next}x` : next;
}

/** A whole JSON string stays one. */
function redactedLike(text: string): string {
  return text.startsWith('"') && text.endsWith('"') ? `"${redacted}"` : redacted;
}
