import { type FormatWriter, type Hole, Markup, type OutputPiece, type TemplateFormat } from './format.ts';
import { jsonWriter } from './format-json.ts';
import { rawWriter, wordWriter } from './format-words.ts';
import { yamlWriter } from './format-yaml.ts';

const writers: Record<TemplateFormat, () => FormatWriter> = {
  json: jsonWriter,
  yaml: yamlWriter,
  haproxy: () => wordWriter('haproxy'),
  conf: () => wordWriter('conf'),
  env: () => wordWriter('env'),
  text: rawWriter,
};

/** Puts every hole's value into its place. Throws `value-refused`, or `template-failed` where the whole is unreadable. */
export function writeOutput(format: TemplateFormat, pieces: readonly (string | Hole)[]): string {
  const writer = writers[format]();
  const written = pieces.map((piece): OutputPiece => {
    if (typeof piece === 'string') {
      writer.literal(piece);
      return { kind: 'literal', text: piece };
    }
    const { value } = piece;
    const text = value instanceof Markup && value.format === 'raw' ? value.text : writer.value(piece);
    if (value instanceof Markup && value.format === 'raw') writer.literal(text);
    return { kind: 'value', text, hole: piece };
  });
  writer.finish(written);
  return written.map(({ text }) => text).join('');
}
