import { readOpenLine } from '../model/haproxy-config.ts';
import { type FormatWriter, type Placeholder, refuse } from './format.ts';
import { plainText, wordWriter } from './format-words.ts';
import { haproxyArgument, valueMark, withoutMarks } from './haproxy-arguments.ts';

/*
 * haproxy.cfg. Values are written as words. Besides, HAProxy evaluates some words: a value must not become an expression that
 * reads the environment, or a variable of a log format.
 */

const unknownReason =
  'it is not known whether HAProxy would evaluate it in this argument. If it does not, write {{raw ...}}.';
const addressReason =
  'HAProxy replaces $NAME in an address from its environment, also within quotes. If you want that, write {{raw ...}}.';
const expressionReason =
  'only letters, digits and . : / @ + = ~ * - are written in an expression, where HAProxy would evaluate others.';

export function haproxyWriter(): FormatWriter {
  let line = '';
  const words = wordWriter('haproxy', (placeholder) => escapeValue(placeholder, line));
  const follow = (text: string) => {
    line = text.includes('\n') ? text.slice(text.lastIndexOf('\n') + 1) : line + text;
  };
  return {
    literal(text) {
      follow(text);
      words.literal(text);
    },
    value(placeholder) {
      const written = words.value(placeholder);
      const text = plainText(placeholder);
      // With any quotes, the value is a part of one word and opens no expression.
      follow(valueMark + (plain.test(text) ? text : 'x'));
      return written;
    },
    isAtStart: () => line === '' && words.isAtStart?.() === true,
    finish: words.finish,
  };
}

/** These characters have no special meaning in any argument. */
const plain = /^[A-Za-z0-9_.:/@+=~*-]*$/;

/** A `%` that is not doubled, perhaps with flags and the first letters of a name. */
const openVariable = /(?<!%)(?:%%)*%(?:\{[^}]*\}?)?([A-Za-z]*)$/;
const variableReason =
  'it would complete the variable or the expression that the % before it begins. Write %% in the template for a percent sign.';

/** The value as an argument that HAProxy evaluates to the value. `line` is what precedes it in its line. */
function escapeValue(placeholder: Placeholder, line: string): string {
  const text = plainText(placeholder);
  const isPlain = plain.test(text);
  if (isPlain && !line.includes('%')) return text;
  const open = readOpenLine(line);
  if (open === undefined) return text;
  const words = [...open.words, open.word];
  const before = withoutMarks(open.word);
  switch (haproxyArgument(words, open.words.length)) {
    case 'text':
      return text;
    case 'address':
      return text.includes('$') ? refuse(placeholder, addressReason) : text;
    case 'format':
      return escapeFormat(placeholder, before);
    case 'replacement':
      return escapeFormat(placeholder, before).replaceAll('\\', '\\\\');
    case 'expression':
      return isPlain ? text : refuse(placeholder, expressionReason);
    case 'unknown':
      return !isPlain && (/[%()$]/.test(text) || before.includes('(')) ? refuse(placeholder, unknownReason) : text;
  }
}

function escapeFormat(placeholder: Placeholder, before: string): string {
  const text = plainText(placeholder);
  const variable = openVariable.exec(before);
  if (variable !== null && (variable[1] === '' || /^[A-Za-z]/.test(text))) refuse(placeholder, variableReason);
  if (plain.test(text)) return text;
  const begin = before.lastIndexOf('%[');
  const expression = begin < 0 ? '' : before.slice(begin);
  const count = (char: string) => expression.split(char).length;
  if (count('[') > count(']')) refuse(placeholder, expressionReason);
  return text.replaceAll('%', '%%');
}
