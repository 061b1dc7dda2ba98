import { createHash } from 'node:crypto';
import { type HelperCall, type HelperDefinition, numberArgument, templateFailure, textArgument } from './helper.ts';
import { regexMatches, regexReplace } from './regex.ts';

type TextHelper = (...texts: string[]) => unknown;

/** A helper whose arguments are all texts. */
function text(usage: string, run: TextHelper): HelperDefinition {
  const takes = [run.length, run.length] as const;
  return { kind: 'value', takes, usage, run: (call) => run(...call.args.map((_, i) => textArgument(call, i))) };
}

/** A helper whose arguments are two numbers. */
function math(usage: string, run: (a: number, b: number) => number): HelperDefinition {
  const result = (call: HelperCall) => {
    const value = run(numberArgument(call, 0), numberArgument(call, 1));
    if (!Number.isFinite(value)) throw templateFailure('the result is not a number.');
    return value;
  };
  return { kind: 'value', takes: [2, 2], usage, run: result };
}

/** Helpers that compute texts and numbers from texts and numbers. */
export const textHelpers: Readonly<Record<string, HelperDefinition>> = {
  toLower: text('(toLower x)', (a: string) => a.toLowerCase()),
  toUpper: text('(toUpper x)', (a: string) => a.toUpperCase()),
  trim: text('(trim x)', (a: string) => a.trim()),
  trimPrefix: text('(trimPrefix x "begin")', (a: string, b: string) => (a.startsWith(b) ? a.slice(b.length) : a)),
  trimSuffix: text('(trimSuffix x "end")', (a: string, b: string) =>
    b !== '' && a.endsWith(b) ? a.slice(0, -b.length) : a,
  ),
  replaceAll: text('(replaceAll x "from" "to")', (a: string, from: string, to: string) => a.split(from).join(to)),
  contains: text('(contains x "part")', (a: string, part: string) => a.includes(part)),
  startsWith: text('(startsWith x "begin")', (a: string, begin: string) => a.startsWith(begin)),
  endsWith: text('(endsWith x "end")', (a: string, end: string) => a.endsWith(end)),
  regexMatch: text('(regexMatch "^a" x)', regexMatches),
  regexReplaceAll: text('(regexReplaceAll "a+" "b" x)', regexReplace),
  split: text('(split x ",")', (a: string, by: string) => (a === '' ? [] : a.split(by))),
  base64Encode: text('(base64Encode x)', (a: string) => Buffer.from(a).toString('base64')),
  base64Decode: text('(base64Decode x)', decodeBase64),
  sha256: text('(sha256 x)', (a: string) => createHash('sha256').update(a).digest('hex')),
  sectionName: text('(sectionName x)', (a: string) => reduceTo(/[^A-Za-z0-9_.:-]/g, a)),
  wordName: text('(wordName x)', (a: string) => reduceTo(/[^A-Za-z0-9_.:/@+=-]/g, a)),
  envName: text('(envName x)', (a: string) => a.toUpperCase().replace(/[^A-Z0-9]/g, '_')),
  parseInt: text('(parseInt x)', (a: string) => parseNumber(a, /^[+-]?\d+$/)),
  parseFloat: text('(parseFloat x)', (a: string) => parseNumber(a, /^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/)),
  add: math('(add a b)', (a, b) => a + b),
  subtract: math('(subtract a b)', (a, b) => a - b),
  multiply: math('(multiply a b)', (a, b) => a * b),
  divide: math('(divide a b)', (a, b) => a / b),
  modulo: math('(modulo a b)', (a, b) => a % b),
  minimum: math('(minimum a b)', Math.min),
  maximum: math('(maximum a b)', Math.max),
};

/** A name that has other characters gets `_` for each, and a hash, so that two names never become one. */
function reduceTo(others: RegExp, name: string): string {
  // A sign in the first or a colon in the last place has a meaning of its own in YAML.
  const reduced = name.replace(others, '_').replace(/^[^A-Za-z0-9_]+|:+$/g, '_');
  return reduced === name ? name : `${reduced}-${createHash('sha256').update(name).digest('hex').slice(0, 8)}`;
}

function decodeBase64(encoded: string): string {
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.toString('base64').replace(/=+$/, '') !== encoded.trim().replace(/=+$/, '')) {
    throw templateFailure('the text is not base64.');
  }
  return bytes.toString();
}

function parseNumber(written: string, form: RegExp): number {
  if (!form.test(written.trim())) throw templateFailure(`${JSON.stringify(written.slice(0, 40))} is not a number.`);
  return Number(written);
}
