import {
  afterMoment,
  type HaproxyArgument,
  lineSignatures,
  plainKeywords,
  ruleSets,
  type Signature,
} from './haproxy-keywords.ts';

/** Stands before each value in the words of a line. A template's text has no reason to contain it. */
export const valueMark = '\u{e000}';

/** Words as HAProxy reads them. */
export function withoutMarks(word: string): string {
  return word.replaceAll(valueMark, '');
}

/**
 * How HAProxy reads the word `at` of a line (configuration manual of 3.2, with the keywords of older versions). A value may be
 * the keyword or the action. It decides nothing else: whatever it is, the reading of the words after it stays the same.
 */
export function haproxyArgument(words: readonly string[], at: number): HaproxyArgument {
  const keyword = withoutMarks(words[0] ?? '');
  // Conditions of the file, such as `.if`, and comments for the log.
  if (at === 0 || keyword.startsWith('.')) return 'text';
  const rules = signatureOf(ruleSets, keyword);
  if (rules === undefined) return readArguments(words, { at, start: 1, signature: lineSignature(keyword) });
  const action = afterMoment.has(keyword) ? 2 : 1;
  return readArguments(words, {
    at,
    start: action + 1,
    signature: signatureOf(rules, withoutMarks(words[action] ?? '')),
  });
}

function readArguments(
  words: readonly string[],
  { at, start, signature }: { at: number; start: number; signature: Signature | undefined },
): HaproxyArgument {
  // The action itself: a name, and perhaps arguments in parentheses.
  if (at < start) return 'expression';
  if (signature === undefined) return 'unknown';
  let next = [...(signature.first ?? [])];
  let isUncertain = false;
  for (let i = start; i < at; i++) {
    const word = words[i] ?? '';
    // The way to compare, in the place of a name or a value.
    if (word === '-m' && signature.methods === 'named') i += 1;
    else if (next.length > 0) next.shift();
    // The argument of a keyword that is not in the tables, or a keyword.
    else if (word.includes(valueMark)) isUncertain = true;
    else if (word === 'if' || word === 'unless') return words[at - 1] === '{' ? 'expression' : 'text';
    else next = [...(signatureOf(signature.named ?? {}, word) ?? [])];
  }
  const [argument = 'text'] = next;
  if (!isUncertain || argument === 'expression') return argument;
  if (words[at - 1] === '{') return 'expression';
  return signature.named === undefined ? argument : 'unknown';
}

/** By the word itself, or for `set-var(txn.x)` by what precedes the parenthesis. */
function signatureOf<T>(table: Readonly<Record<string, T>>, word: string): T | undefined {
  const name = word.replace(/\(.*$/s, '');
  if (Object.hasOwn(table, name)) return table[name];
  const family = name.replace(/\d+$/, '');
  return Object.hasOwn(table, family) ? table[family] : undefined;
}

function lineSignature(keyword: string): Signature | undefined {
  if (Object.hasOwn(lineSignatures, keyword)) return lineSignatures[keyword];
  return plainKeywords.has(keyword) ? {} : undefined;
}
