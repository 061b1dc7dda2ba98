import Handlebars from 'handlebars';
import { SwitchmasterError } from '../errors.ts';
import type { TemplateDelimiters } from '../model/template-spec.ts';
import { type BracedText, brace } from './delimiters.ts';
import { describeExcess } from './size.ts';

export interface TemplateText {
  /** The name in messages: the file's name. */
  readonly file: string;
  readonly text: string;
}

export interface ParseOptions {
  /** Of tags. Default: two braces. */
  readonly delimiters?: TemplateDelimiters | undefined;
}

/** Throws `template-invalid` with the place. */
export function parseTemplate(template: TemplateText, { delimiters }: ParseOptions = {}): hbs.AST.Program {
  if (delimiters === undefined) return parseBraced(template);
  const { file } = template;
  const braced = toBraces(template, delimiters);
  const program = parseBraced({ file, text: braced.text });
  braced.restore(program);
  return program;
}

function toBraces({ file, text }: TemplateText, delimiters: TemplateDelimiters): BracedText {
  try {
    return brace(text, delimiters);
  } catch (cause) {
    throw invalid([`${file}:1:1: ${(cause as Error).message}.`], cause);
  }
}

function parseBraced({ file, text }: TemplateText): hbs.AST.Program {
  const nul = text.indexOf('\u0000');
  if (nul >= 0) throw invalid([`${file}:${text.slice(0, nul).split('\n').length}:1: a template cannot hold NUL.`]);
  const excess = describeExcess({ file, text });
  if (excess !== undefined) throw invalid([excess]);
  try {
    return Handlebars.parse(text, { srcName: file } as Parameters<typeof Handlebars.parse>[1]);
  } catch (cause) {
    throw invalid([describeParseError({ file, text }, cause)], cause);
  }
}

/** The parser's errors have two forms: the place in fields, or a line and a drawing in the message. */
function describeParseError({ file, text }: TemplateText, thrown: unknown): string {
  const { message, lineNumber, column } = thrown as { message: string; lineNumber?: number; column?: number };
  if (lineNumber !== undefined) {
    return `${file}:${lineNumber}:${(column ?? 0) + 1}: ${message.replace(/ - \d+:\d+$/, '')}.`;
  }
  const match = /^(?:Parse|Lexical) error on line (\d+)[:.].*?\n(.*)\n(-*)\^\n?(.*)/s.exec(message);
  if (match === null) return `${file}: ${message}`;
  const line = Number(match[1]);
  const before = (match[2] ?? '').slice(0, match[3]?.length).replace(/^\.\.\./, '');
  const source = text.split('\n')[line - 1] ?? '';
  const at = source.indexOf(before);
  let offset = at >= 0 ? at + before.length : 0;
  for (let k = Math.min(source.length, before.length); at < 0 && k > 0 && offset === 0; k--) {
    if (before.endsWith(source.slice(0, k))) offset = k;
  }
  const said = (match[4] ?? '').trim() || 'unexpected text';
  return `${file}:${line}:${offset + 1}: ${said}.`;
}

export function invalid(problems: readonly string[], cause?: unknown): SwitchmasterError {
  const options = { cause, details: { problems } };
  return new SwitchmasterError('template-invalid', problems.join('\n'), options);
}
