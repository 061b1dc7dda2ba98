import { RE2JS } from 're2js';
import { templateFailure } from './helper.ts';

/*
 * Regular expressions as in Go (RE2 syntax), which consul-template has. They take time in proportion to the text: an
 * expression that backtracks could stop the whole daemon for minutes.
 */

/** The limit of characters times instructions for one search: about a second. */
const maxWork = 20_000_000;
const maxPatternLength = 1_000;
/** The limit for all searches of one replacement, each of which may read to the end of the text. */
const maxReplaceMs = 1_000;

/** Whether a part of the text matches. */
export function regexMatches(pattern: string, text: string): boolean {
  return compile(pattern, text).matcher(text).find();
}

/** Replaces every match. `$1`, `${1}`, `$name` and `${name}` are groups, and `$$` is a dollar sign (Go, `Regexp.Expand`). */
export function regexReplace(pattern: string, to: string, text: string): string {
  const matcher = compile(pattern, text).matcher(text);
  const names: ReadonlyMap<string, number> = new Map(Object.entries(compile(pattern, text).namedGroups()));
  const groupOf = (name: string): string => {
    const group = /^(?:0|[1-9]\d*)$/.test(name) ? Number(name) : names.get(name);
    return group === undefined || group > matcher.groupCount() ? '' : (matcher.group(group) ?? '');
  };
  const expand = (): string =>
    to.replace(
      /\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu,
      (whole, braced: string | undefined, bare: string | undefined) =>
        whole === '$$' ? '$' : groupOf(braced ?? bare ?? ''),
    );
  const deadlineMs = performance.now() + maxReplaceMs;
  const pieces: string[] = [];
  let end = 0;
  let previousEnd = -1;
  while (matcher.find()) {
    if (performance.now() > deadlineMs) throw templateFailure(`"${pattern}" takes more than ${maxReplaceMs} ms.`);
    const isEmptyAfterMatch = matcher.start() === matcher.end() && matcher.start() === previousEnd;
    previousEnd = matcher.end();
    if (isEmptyAfterMatch) continue;
    pieces.push(text.slice(end, matcher.start()), expand());
    end = matcher.end();
  }
  return pieces.join('') + text.slice(end);
}

const cacheSize = 100;
const cache = new Map<string, RE2JS>();

function compile(pattern: string, text: string): RE2JS {
  if (pattern.length > maxPatternLength) {
    throw templateFailure(`the regular expression is longer than ${maxPatternLength} characters.`);
  }
  const regex = cache.get(pattern) ?? parse(pattern);
  if (cache.size >= cacheSize) cache.clear();
  cache.set(pattern, regex);
  if (regex.programSize() * text.length > maxWork) {
    throw templateFailure(`"${pattern}" is too expensive for a text of ${text.length} characters.`);
  }
  return regex;
}

function parse(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (cause) {
    const { message } = cause as Error;
    throw templateFailure(`"${pattern}" is not a regular expression of RE2: ${message}.`, cause);
  }
}
