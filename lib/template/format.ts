import { SwitchmasterError } from '../errors.ts';
import { redacted } from '../model/redaction.ts';

/**
 * The format of a template's output. It decides how printed values are escaped, and which are refused.
 *
 * `redis` is the format of redis.conf and sentinel.conf. `conf` is the strictest, and the default for unknown names. `text` only refuses values with a new line.
 */
export const templateFormats = ['json', 'yaml', 'haproxy', 'redis', 'conf', 'env', 'text'] as const;
export type TemplateFormat = (typeof templateFormats)[number];

/** Something that a template prints. `text` is the expression in the template, for messages. */
export interface PrintSite {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly text: string;
  /** `operator`: the value comes from `vars` and the template alone. */
  readonly origin?: 'operator';
}

/** A place in the output that a value is written to. */
export interface Placeholder {
  readonly value: PrintedValue;
  readonly site: PrintSite;
  /** `secret`: a value of `file` or `env`, or computed from one. Messages must not contain it. */
  readonly secrecy: 'open' | 'secret';
}

export type PrintedValue = string | number | boolean | Markup;

/** Text in the syntax of the format (`toJSON`), or for which the author is responsible (`raw`). */
export class Markup {
  readonly format: 'json' | 'yaml' | 'raw';
  readonly text: string;
  /** The same on one line, of a block of YAML. */
  readonly inline: string | undefined;

  constructor(format: Markup['format'], text: string, inline?: string) {
    this.format = format;
    this.text = text;
    this.inline = inline;
  }
}

/** The text of a piece for messages, without secrets. */
export function showPiece(piece: OutputPiece): string {
  return piece.kind === 'literal' ? piece.text : piece.shown;
}

/**
 * Writes one output. It reads the literal text, so that it knows the context of every placeholder (a string, a comment, a bare word).
 * `finish` may refuse the whole output.
 */
export interface FormatWriter {
  /** Text of the template itself. */
  literal(text: string): void;
  /**
   * Returns the value, escaped for this place. Throws `value-refused`. `after` is the literal text up to the next value, and
   * undefined if another value follows at once.
   */
  value(placeholder: Placeholder, after?: string): string;
  /**
   * Whether what follows is written as at the beginning of the output, whatever came before. Without it, no text is kept from one
   * output to the next.
   */
  isAtStart?(): boolean;
  /** Called after the end. `pieces` are the results of literal and value, in order. */
  finish(pieces: readonly OutputPiece[]): void;
}

export type OutputPiece =
  | { readonly kind: 'literal'; readonly text: string }
  /** `shown` is the text, or its replacement if it is secret. */
  | { readonly kind: 'value'; readonly text: string; readonly shown: string; readonly placeholder: Placeholder };

const extensions: Record<string, TemplateFormat> = {
  json: 'json',
  yml: 'yaml',
  yaml: 'yaml',
  cfg: 'haproxy',
  conf: 'conf',
  env: 'env',
};

/** The format of the first name with a known ending, or `conf`. */
export function inferFormat(...names: readonly string[]): TemplateFormat {
  return namedFormat(...names) ?? 'conf';
}

/** The format of the first name with a known ending: `app.json.hbs` is JSON. Redis and Sentinel have names of their own. */
export function namedFormat(...names: readonly string[]): TemplateFormat | undefined {
  for (const name of names) {
    if (/(?:^|[/_.-])(?:redis|sentinel|valkey)[^/]*\.conf(?:\.hbs)?$/i.test(name)) return 'redis';
    const extension = /\.([A-Za-z]+)$/.exec(name.replace(/\.hbs$/, ''))?.[1]?.toLowerCase();
    const format = extension === undefined ? undefined : extensions[extension];
    if (format !== undefined) return format;
  }
  return undefined;
}

/** C0 and C1 control characters, DEL, the Unicode line and paragraph separators, and half pairs, which UTF-8 cannot write. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to be refused
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]|\p{Surrogate}/u;

export function hasControl(text: string): boolean {
  return control.test(text);
}

/** Code `value-refused`. */
export class ValueRefused extends SwitchmasterError {
  readonly placeholder: Placeholder;

  constructor(placeholder: Placeholder, message: string) {
    const { file, line, column, text: expression } = placeholder.site;
    super('value-refused', message, { details: { file, line, column, expression } });
    this.placeholder = placeholder;
  }
}

export function refuse(placeholder: Placeholder, reason: string): never {
  const { file, line, column, text } = placeholder.site;
  const value = placeholder.value instanceof Markup ? placeholder.value.text : String(placeholder.value);
  const cut = JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value);
  const shown = placeholder.secrecy === 'secret' ? redacted : cut;
  throw new ValueRefused(placeholder, `${file}:${line}:${column}: {{${text}}} is ${shown}: ${reason}`);
}
