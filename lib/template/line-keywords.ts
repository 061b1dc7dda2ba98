import { steersPrograms } from './env-names.ts';
import { type FormatWriter, type Placeholder, refuse } from './format.ts';

/*
 * Formats whose lines begin with a keyword. A value may be a keyword, such as a key of `ls`, but not one that runs programs,
 * loads code, reads other files or chooses users. And where a line is NAME = value, no value of the name ends the name. Values
 * from `vars` are the operator's own, and count as text of the template.
 */

type Dialect = 'haproxy' | 'redis' | 'conf';

/** By the first word of a line, or by the first two. `*` stands for any characters of a word. Hosts and groups have names such as `user1`. */
const steering: Record<Dialect, string> = {
  haproxy: `lua-* tune.lua.* setenv presetenv resetenv unsetenv insecure-* external-check option external-check program command user
    group uid gid chroot ssl-engine ssl-provider* ssl-load-* stats filter default-path crt-base ca-base load server-state-* include`,
  redis: `loadmodule loadmodule-* include rename-command enable-* aclfile user dir dbfilename appendfilename appenddirname
    logfile pidfile unixsocket tls-*-file tls-*-dir sentinel notification-script sentinel client-reconfig-script
    sentinel rename-command sentinel deny-scripts-reconfig`,
  conf: `include include_* includedir includeoptional load_module loadmodule module module_* plugin plugin_* load notify notify_*
    script script_* exec exec_* execstart execstartpre execstartpost execreload execstop execstoppost execcondition command
    command_* user group daemon daemon_* env setenv *_script ld_preload perl_* lua_* @include !include !includedir`,
};
/** Words that are a keyword only with the next one. */
const prefixes = new Set(['option', 'sentinel']);

/** The first two words of a line. In files of unknown kind, `=` or `:` may end the first. */
const firstWords: Record<Dialect, RegExp> = {
  haproxy: /^\s*(\S+)(?:\s+(\S+))?/,
  redis: /^\s*(\S+)(?:\s+(\S+))?/,
  conf: /^\s*([^\s=]+?)(?=:?(?:[\s=]|$))/,
};

const patterns: Record<Dialect, RegExp> = {
  haproxy: readSteering(steering.haproxy),
  redis: readSteering(steering.redis),
  conf: readSteering(steering.conf),
};

/** The writer of a dialect, without values in the place of such a keyword. */
export function withKeywords(dialect: Dialect, writer: FormatWriter): FormatWriter {
  let line: Piece[] = [];
  const endLine = () => {
    checkLine(dialect, line);
    line = [];
  };
  const read = (text: string) => {
    const [first = '', ...others] = text.split('\n');
    line.push({ text: first });
    for (const other of others) {
      endLine();
      line.push({ text: other });
    }
  };
  return {
    literal(text) {
      read(text);
      writer.literal(text);
    },
    value(placeholder, after) {
      const text = writer.value(placeholder, after);
      line.push(placeholder.site.origin === 'operator' ? { text } : { text, placeholder });
      return text;
    },
    isAtStart: () =>
      line.every(({ text, placeholder }) => text === '' && placeholder === undefined) && writer.isAtStart?.() === true,
    finish(pieces) {
      endLine();
      writer.finish(pieces);
    },
  };
}

interface Piece {
  readonly text: string;
  /** Of a value that is not the operator's. */
  readonly placeholder?: Placeholder;
}

function checkLine(dialect: Dialect, line: readonly Piece[]): void {
  if (!line.some(({ placeholder }) => placeholder !== undefined)) return;
  let whole = '';
  for (const { text } of line) whole += text;
  if (/^\s*[#;]/.test(whole)) return;
  const words = firstWords[dialect].exec(whole);
  const first = keywordOf(words?.[1]);
  const isPair = prefixes.has(first);
  const keyword = isPair ? `${first} ${keywordOf(words?.[2])}` : first;
  if (dialect === 'conf') checkStatements(line, whole);
  if (patterns[dialect].test(keyword)) {
    const place = valueBefore(line, endOf(dialect, { whole, word: isPair ? 2 : 1 }));
    if (place !== undefined) refuse(place, keywordReason(keyword));
  }
  if (dialect === 'haproxy' && /^(?:pre)?setenv$/.test(first))
    checkVariable(valueBefore(line, endOf(dialect, { whole, word: 2 })), keywordOf(words?.[2]));
  if (dialect === 'conf') checkName(line, whole);
}

function keywordOf(word = ''): string {
  return word.replace(/["'\\]/g, '').toLowerCase();
}

/** Where the given one of the first two words ends. Few lines have a keyword for which this counts, and it takes long. */
function endOf(dialect: Dialect, { whole, word }: { readonly whole: string; readonly word: 1 | 2 }): number {
  const { indices } = new RegExp(firstWords[dialect], 'd').exec(whole) ?? {};
  return indices?.[word]?.[1] ?? indices?.[1]?.[1] ?? 0;
}

/** The first value that the line has before this position. */
function valueBefore(line: readonly Piece[], end: number): Placeholder | undefined {
  return valueWithin(line, 0, end);
}

function valueWithin(line: readonly Piece[], begin: number, end: number): Placeholder | undefined {
  let at = 0;
  for (const { text, placeholder } of line) {
    if (placeholder !== undefined && text !== '' && at < end && at + text.length > begin) return placeholder;
    at += text.length;
  }
  return undefined;
}

function checkVariable(place: Placeholder | undefined, name: string): void {
  if (place !== undefined && steersPrograms(name)) refuse(place, keywordReason(`setenv ${name}`));
}

/** What begins a statement of nginx and its kind within a line: after a brace or a semicolon outside of quotes. */
const statement = /(?<=^|[\s{};])#.*|"(?:\\.|[^"\\])*(?:"|$)|'(?:\\.|[^'\\])*(?:'|$)|[{};]\s*([\w.@!-]+)/dg;

function checkStatements(line: readonly Piece[], whole: string): void {
  if (!/[{};]/.test(whole)) return;
  for (const { 1: keyword = '', indices } of whole.matchAll(statement)) {
    const [begin, end] = indices?.[1] ?? [0, 0];
    if (!patterns.conf.test(keyword.toLowerCase())) continue;
    const place = valueWithin(line, begin, end);
    if (place !== undefined) refuse(place, keywordReason(keyword.toLowerCase()));
  }
}

/** `NAME = value` and `[NAME]`, as in INI files: the delimiters are in the template. */
function checkName(line: readonly Piece[], whole: string): void {
  if (isSection(line, whole)) {
    checkEnds(line, '[]');
    return;
  }
  const first = firstPiece(line);
  // `[::1]:6379` is an address.
  if (first?.placeholder !== undefined && /^\[(?![\da-f.]*:[\da-f:.]*[\]%])/i.test(first.text))
    refuse(first.placeholder, 'it would begin a section, as in an INI file.');
  const at = line.findIndex(({ text, placeholder }) => placeholder === undefined && text.includes('='));
  if (at < 1) return;
  const name = line.slice(0, at);
  const literal = name.map(({ text, placeholder }) => (placeholder === undefined ? text : 'x')).join('');
  // With a space or a quote within, the `=` belongs to a later word.
  if (!/[\s"']/.test(`${literal}${line[at]?.text.split('=')[0] ?? ''}`.trim())) checkEnds(name, '=');
}

/** `["a", "b"]` is a list. */
function isSection(line: readonly Piece[], whole: string): boolean {
  return firstPiece(line)?.placeholder === undefined && /^\s*\[(?!\s*["']).*\]\s*(?:[#;].*)?$/.test(whole);
}

function firstPiece(line: readonly Piece[]): Piece | undefined {
  return line.find(({ text }) => text.trim() !== '');
}

function checkEnds(name: readonly Piece[], ends: '=' | '[]'): void {
  for (const { text, placeholder } of name) {
    if (placeholder === undefined || ![...ends].some((end) => text.includes(end))) continue;
    refuse(placeholder, `${[...ends].join(' or ')} would end the name that it is a part of.`);
  }
}

function keywordReason(keyword: string): string {
  return `the keyword "${keyword}" runs programs, loads code, reads files or chooses users. Write it in the template or in vars.`;
}

function readSteering(list: string): RegExp {
  const words = list.trim().split(/\s+/);
  const keywords: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (prefixes.has(word)) {
      i += 1;
      keywords.push(`${word} ${words[i]}`);
    } else keywords.push(word);
  }
  const escaped = keywords.map((keyword) => keyword.replace(/[.!@]/g, '\\$&').replaceAll('*', '\\S*'));
  return new RegExp(`^(?:${escaped.join('|')})$`);
}
