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

/** Writes the value of every placeholder. Throws `value-refused`, or `template-failed` if the output cannot be parsed. */
export function writeOutput(format: TemplateFormat, pieces: readonly (string | Placeholder)[]): WrittenOutput {
  const writer = writers[format]();
  const written = pieces.map((piece, i): OutputPiece => {
    if (typeof piece === 'string') {
      writer.literal(piece);
      return { kind: 'literal', text: piece };
    }
    const { value } = piece;
    const text =
      value instanceof Markup && value.format === 'raw' ? value.text : writer.value(piece, textAfter(pieces, i));
    if (value instanceof Markup && value.format === 'raw') writer.literal(text);
    return { kind: 'value', text, shown: piece.secrecy === 'open' ? text : redactedLike(text), placeholder: piece };
  });
  writer.finish(written);
  const text = written.map((piece) => piece.text).join('');
  const secret = pieces.some((piece) => typeof piece !== 'string' && piece.secrecy === 'secret');
  return { text, shown: secret ? written.map(showPiece).join('') : text };
}

/** The literal text up to the next value, with a letter in the place of that value; undefined if there is no text. */
function textAfter(pieces: readonly (string | Placeholder)[], at: number): string | undefined {
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
