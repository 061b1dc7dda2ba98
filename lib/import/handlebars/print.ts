import { severalLines } from './functions.ts';
import { Untranslatable, type Value } from './scope.ts';
import { describeShape } from './shapes.ts';
import type { OutputPiece } from './write.ts';

/** What prints a value. A text of several lines goes through `raw`. */
export function printValue({ code, shape, kind }: Value): OutputPiece {
  const optional = /^\(default (.*) ""\)$/.exec(code)?.[1];
  // Most formats refuse an empty value outside quotes.
  if (optional !== undefined)
    return { kind: 'print', code: `{{#if ${optional}}}{{${withoutParentheses(optional)}}}{{/if}}` };
  if (kind === 'literal') return printLiteral(code);
  if (typeof shape === 'object' && 'list' in shape && shape.list === 'plain')
    return { kind: 'print', code: `{{printf "%v" ${code}}}` };
  if (typeof shape === 'object')
    throw new Untranslatable(
      `${describeShape(shape)} is printed as a whole`,
      'print its fields, or write {{toJSON x}}',
    );
  if (kind === 'path') return { kind: 'print', code: `{{${code}}}` };
  const [name = ''] = code.slice(1).split(/[ )]/, 1);
  if (severalLines.has(name)) return { kind: 'print', code: `{{raw ${code}}}` };
  return { kind: 'print', code: `{{${withoutParentheses(code)}}}` };
}

function printLiteral(code: string): OutputPiece {
  if (/^(?:-?\d+|true|false)$/.test(code)) return { kind: 'text', text: code };
  if (/^["']/.test(code)) return { kind: 'print', code: `{{raw ${code}}}` };
  return { kind: 'print', code: `{{print ${code}}}` };
}

function withoutParentheses(code: string): string {
  return code.startsWith('(') ? code.slice(1, -1) : code;
}

/** What keeps a value in `scratch`. */
export function keep(key: string, value: Value): OutputPiece {
  return { kind: 'print', code: `{{scratch.Set "${key}" ${value.code}}}` };
}
