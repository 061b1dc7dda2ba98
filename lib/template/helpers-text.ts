import { isUtf8 } from 'node:buffer';
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { shortHash } from '../model/naming.ts';
import { type HelperDefinition, joinTexts, templateFailure, textArgument } from './helper.ts';
import { sortedObject } from './ordered.ts';
import { regexMatches, regexReplace } from './regex.ts';
import { lowerCase, titleCase, trimCharacters, trimSpace, upperCase } from './text-case.ts';

type TextHelper = (...texts: string[]) => unknown;

/** A helper whose arguments are all texts. */
function text(usage: string, run: TextHelper): HelperDefinition {
  const takes = [run.length, run.length] as const;
  return { kind: 'value', takes, usage, run: (call) => run(...call.args.map((_, i) => textArgument(call, i))) };
}

/** The same, whose last argument is the text that it works on, as at the end of a pipe in consul-template. */
function piped(usage: string, run: TextHelper): HelperDefinition {
  return { ...text(usage, run), order: 'subject-last' };
}

/** Helpers that compute texts from texts. */
export const textHelpers: Readonly<Record<string, HelperDefinition>> = {
  toLower: text('(toLower x)', lowerCase),
  toUpper: text('(toUpper x)', upperCase),
  toTitle: text('(toTitle x)', titleCase),
  trim: {
    kind: 'value',
    takes: [1, 2],
    usage: '(trim "characters" x)',
    order: 'subject-last',
    run(call) {
      const first = textArgument(call, 0);
      return call.args.length === 1 ? first.trim() : trimCharacters(first, textArgument(call, 1));
    },
  },
  trimSpace: text('(trimSpace x)', trimSpace),
  trimPrefix: piped('(trimPrefix "begin" x)', (begin: string, a: string) =>
    a.startsWith(begin) ? a.slice(begin.length) : a,
  ),
  trimSuffix: piped('(trimSuffix "end" x)', (end: string, a: string) =>
    end !== '' && a.endsWith(end) ? a.slice(0, -end.length) : a,
  ),
  replaceAll: piped('(replaceAll "from" "to" x)', replaceEach),
  regexMatch: text('(regexMatch "^a" x)', regexMatches),
  regexReplaceAll: text('(regexReplaceAll "a+" "b" x)', regexReplace),
  split: piped('(split "," x)', splitText),
  splitToMap: piped('(splitToMap "," "=" x)', (by: string, between: string, a: string) =>
    sortedObject(splitText(by, a).flatMap((part) => pairIn(part, between))),
  ),
  startsWith: text('(startsWith x "begin")', (a: string, begin: string) => a.startsWith(begin)),
  endsWith: text('(endsWith x "end")', (a: string, end: string) => a.endsWith(end)),
  base64Encode: text('(base64Encode x)', (a: string) => Buffer.from(a).toString('base64')),
  base64Decode: text('(base64Decode x)', (a: string) => decode(a, 'base64')),
  base64URLEncode: text('(base64URLEncode x)', (a: string) => padded(Buffer.from(a).toString('base64url'))),
  base64URLDecode: text('(base64URLDecode x)', (a: string) => decode(a, 'base64url')),
  sha256: text('(sha256 x)', (a: string) => digest(createHash('sha256'), a)),
  sha256Hex: text('(sha256Hex x)', (a: string) => digest(createHash('sha256'), a)),
  md5sum: text('(md5sum x)', (a: string) => digest(createHash('md5'), a)),
  hmacSHA256Hex: text('(hmacSHA256Hex "message" "key")', (message: string, key: string) =>
    digest(createHmac('sha256', key), message),
  ),
  urlquery: text('(urlquery x)', (a: string) => {
    return encodeURIComponent(a.toWellFormed()).replace(/%20|[!*'()]/g, (c) => (c === '%20' ? '+' : percentOf(c)));
  }),
  sectionName: text('(sectionName x)', (a: string) => reduceTo(/[^A-Za-z0-9_.:-]/g, a)),
  wordName: text('(wordName x)', (a: string) => reduceTo(/[^A-Za-z0-9_.:/@+=-]/g, a)),
  envName: text('(envName x)', (a: string) => a.toUpperCase().replace(/[^A-Z0-9]/g, '_')),
};

function replaceEach(from: string, to: string, a: string): string {
  return joinTexts(from === '' ? ['', ...a, ''] : a.split(from), to);
}

/** Without space around the text; an empty text gives an empty list. */
function splitText(by: string, a: string): readonly string[] {
  const trimmed = trimSpace(a);
  if (trimmed === '') return [];
  return by === '' ? [...trimmed] : trimmed.split(by);
}

/** What has no separator is left out. */
function pairIn(part: string, between: string): readonly (readonly [string, string])[] {
  const at = part.indexOf(between);
  return at < 0 ? [] : [[part.slice(0, at), part.slice(at + between.length)]];
}

/** A name that has other characters gets `_` for each, and a hash, so that two names never become one. */
function reduceTo(others: RegExp, name: string): string {
  // A sign in the first or a colon in the last place has a meaning of its own in YAML.
  const reduced = name.replace(others, '_').replace(/^[^A-Za-z0-9_]+|:+$/g, '_');
  return reduced === name ? name : `${reduced}-${shortHash(name)}`;
}

/** Line breaks within are left out, and padding may be missing. */
function decode(written: string, alphabet: 'base64' | 'base64url'): string {
  const encoded = written.trim().replace(/[\r\n]/g, '');
  const [, digits = '', padding = ''] = /^(.*?)(={0,2})$/s.exec(encoded) ?? [];
  const others = alphabet === 'base64' ? /[^A-Za-z0-9+/]/ : /[^A-Za-z0-9_-]/;
  const isWhole = padding === '' ? digits.length % 4 !== 1 : encoded.length % 4 === 0;
  if (others.test(digits) || !isWhole) throw templateFailure('the text is not base64.');
  const bytes = Buffer.from(digits, alphabet);
  if (!isUtf8(bytes)) throw templateFailure('the decoded bytes are not UTF-8 text.');
  return bytes.toString();
}

function percentOf(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

function padded(encoded: string): string {
  return encoded.padEnd(Math.ceil(encoded.length / 4) * 4, '=');
}

function digest(hash: Hash | Hmac, a: string): string {
  return hash.update(a).digest('hex');
}
