import { SwitchmasterError } from '../errors.ts';
import { redacted } from '../model/redaction.ts';

/**
 * What a template's output is written in: it decides how printed values are escaped, and which are refused.
 *
 * `conf` is the strictest and the default for names that tell nothing; `text` only keeps values on their line.
 */
export const templateFormats = ['json', 'yaml', 'haproxy', 'conf', 'env', 'text'] as const;
export type TemplateFormat = (typeof templateFormats)[number];

/** Something that a template prints. `text` is what stands in the template, for messages. */
export interface PrintSite {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

/** A place in the output that a value is written to. */
export interface Hole {
  readonly value: PrintedValue;
  readonly site: PrintSite;
  /** `secret`: made of what `file` or `env` gave, so that no message may tell it. */
  readonly secrecy: 'open' | 'secret';
}

export type PrintedValue = string | number | boolean | Markup;

/** Text that a helper made in a format's own syntax (`toJSON`), or that the author vouches for (`raw`). */
export class Markup {
  readonly format: 'json' | 'yaml' | 'raw';
  readonly text: string;

  constructor(format: Markup['format'], text: string) {
    this.format = format;
    this.text = text;
  }
}

/** What a piece may be shown as: secrets are left out. */
export function showPiece(piece: OutputPiece): string {
  return piece.kind === 'literal' ? piece.text : piece.shown;
}

/**
 * Writes one output: it follows the literal text, so that it knows at every hole what surrounds it (a string, a comment,
 * a bare word). `finish` may refuse the whole.
 */
export interface FormatWriter {
  /** Text of the template itself. */
  literal(text: string): void;
  /** Returns the value as it must stand here; throws `value-refused`. */
  value(hole: Hole): string;
  /** After the end; `pieces` is what literal and value came to, in order. */
  finish(pieces: readonly OutputPiece[]): void;
}

export type OutputPiece =
  | { readonly kind: 'literal'; readonly text: string }
  /** `shown` is the text, or what stands for it where it is secret. */
  | { readonly kind: 'value'; readonly text: string; readonly shown: string; readonly hole: Hole };

const extensions: Record<string, TemplateFormat> = {
  json: 'json',
  yml: 'yaml',
  yaml: 'yaml',
  cfg: 'haproxy',
  conf: 'conf',
  env: 'env',
};

/** The format that the first telling name stands for: `app.json.hbs` is JSON. */
export function inferFormat(...names: readonly string[]): TemplateFormat {
  for (const name of names) {
    const extension = /\.([A-Za-z]+)$/.exec(name.replace(/\.hbs$/, ''))?.[1]?.toLowerCase();
    const format = extension === undefined ? undefined : extensions[extension];
    if (format !== undefined) return format;
  }
  return 'conf';
}

/** C0 and C1 control characters, DEL, and the Unicode line and paragraph separators. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to be refused
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

export function hasControl(text: string): boolean {
  return control.test(text);
}

export function refuse(hole: Hole, reason: string): never {
  const { file, line, column, text } = hole.site;
  const value = hole.value instanceof Markup ? hole.value.text : String(hole.value);
  const cut = JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value);
  const shown = hole.secrecy === 'secret' ? redacted : cut;
  throw new SwitchmasterError('value-refused', `${file}:${line}:${column}: {{${text}}} is ${shown}: ${reason}`, {
    details: { file, line, column, expression: text },
  });
}
