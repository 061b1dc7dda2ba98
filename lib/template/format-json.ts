import { SwitchmasterError } from '../errors.ts';
import { type FormatWriter, Markup, type Placeholder, refuse, showPiece } from './format.ts';

/**
 * JSON. Inside a string, a value becomes escaped content. Outside, a text becomes a whole string with its quotes, and numbers,
 * booleans and `toJSON` are written unchanged. The result is parsed, which finds a missing comma.
 */
export function jsonWriter(): FormatWriter {
  let inString = false;
  let escaped = false;
  return {
    literal(text) {
      for (const char of text) {
        if (escaped) escaped = false;
        else if (inString && char === '\\') escaped = true;
        else if (char === '"') inString = !inString;
      }
    },
    value(placeholder) {
      if (escaped) refuse(placeholder, 'a value cannot follow a backslash.');
      return inString ? insideString(placeholder) : bare(placeholder);
    },
    finish(pieces) {
      const cause = parseError(pieces.map((piece) => piece.text).join(''));
      if (cause === undefined) return;
      // The parser's message quotes the text, so it parses the text without secrets again for a message that may be shown.
      const shown = parseError(pieces.map(showPiece).join(''));
      const reason = shown?.message ?? 'a value of a file or of the environment breaks it';
      throw new SwitchmasterError('template-failed', `The rendered text is not JSON: ${reason}`, { cause: shown });
    },
  };
}

function parseError(text: string): Error | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (thrown) {
    return thrown instanceof Error ? thrown : new Error(String(thrown));
  }
}

function insideString({ value }: Placeholder): string {
  const text = value instanceof Markup ? value.text : String(value);
  return JSON.stringify(text).slice(1, -1);
}

function bare(placeholder: Placeholder): string {
  const { value } = placeholder;
  if (value instanceof Markup) {
    if (value.format === 'yaml') refuse(placeholder, 'YAML does not fit into JSON; use toJSON.');
    return value.text;
  }
  return JSON.stringify(value);
}
