import { steersPrograms } from './env-names.ts';
import { type FormatWriter, type Placeholder, refuse } from './format.ts';

/*
 * Formats whose lines begin with a keyword. A value may be a keyword, such as a key of `ls`, but not one that runs programs,
 * loads code, reads other files or chooses users. And where a line is NAME = value, no value of the name ends the name.
 */

type Dialect = 'haproxy' | 'redis' | 'conf';

/** By the first word of a line, or by the first two. `*` stands for any characters of a word. */
const steering: Record<Dialect, string> = {
  haproxy: `lua-* tune.lua.* setenv presetenv resetenv unsetenv insecure-* external-check option external-check program command user
    group uid gid chroot ssl-engine ssl-provider* ssl-load-* stats filter default-path crt-base ca-base load server-state-* include`,
  redis: `loadmodule loadmodule-* include rename-command enable-* aclfile user dir dbfilename appendfilename appenddirname
    logfile pidfile unixsocket tls-*-file tls-*-dir sentinel notification-script sentinel client-reconfig-script
    sentinel rename-command sentinel deny-scripts-reconfig`,
  conf: `include* load_module loadmodule module* plugin* load notify* script* exec* command* user group daemon* env setenv
    *_script ld_preload perl_* lua_* @include !include !includedir`,
};
/** Words that are a keyword only with the next one. */
const prefixes = new Set(['option', 'sentinel']);

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
      line.push({ text, placeholder });
      return text;
    },
    finish(pieces) {
      endLine();
      writer.finish(pieces);
    },
  };
}

interface Piece {
  readonly text: string;
  /** Of a value. */
  readonly placeholder?: Placeholder;
}

function checkLine(dialect: Dialect, line: readonly Piece[]): void {
  if (!line.some(({ placeholder }) => placeholder !== undefined)) return;
  const whole = line.map(({ text }) => text).join('');
  if (/^\s*[#;]/.test(whole)) return;
  const words = /^\s*(\S+)(?:\s+(\S+))?/.exec(whole);
  const [first = '', second = ''] = [words?.[1], words?.[2]].map((word) => word?.replace(/["'\\]/g, '').toLowerCase());
  const isPair = prefixes.has(first);
  const place = valueBefore(line, whole, isPair ? 2 : 1);
  const keyword = isPair ? `${first} ${second}` : first;
  if (place !== undefined && patterns[dialect].test(keyword)) refuse(place, keywordReason(keyword));
  if (dialect === 'haproxy' && /^(?:pre)?setenv$/.test(first)) checkVariable(valueBefore(line, whole, 2), second);
  if (dialect === 'conf') checkName(line);
}

/** The first value within the first words of the line. */
function valueBefore(line: readonly Piece[], whole: string, count: number): Placeholder | undefined {
  const end = (count === 1 ? /^\s*\S+/ : /^\s*\S+(?:\s+\S+)?/).exec(whole)?.[0].length ?? 0;
  let at = 0;
  for (const { text, placeholder } of line) {
    if (placeholder !== undefined && at < end) return placeholder;
    at += text.length;
  }
  return undefined;
}

function checkVariable(place: Placeholder | undefined, name: string): void {
  if (place !== undefined && steersPrograms(name)) refuse(place, keywordReason(`setenv ${name}`));
}

/** `NAME = value` and `[NAME]`, as in INI files: the delimiters are in the template. */
function checkName(line: readonly Piece[]): void {
  const literal = line.map(({ text, placeholder }) => (placeholder === undefined ? text : '')).join('');
  const ends = /^\s*\[/.test(literal) ? '[]' : literal.includes('=') ? '=' : '';
  for (const { text, placeholder } of line) {
    if (placeholder === undefined) {
      if (ends === '=' && text.includes('=')) return;
    } else if ([...ends].some((end) => text.includes(end))) {
      refuse(placeholder, `${ends.split('').join(' or ')} would end the name that it is a part of.`);
    }
  }
}

function keywordReason(keyword: string): string {
  return `the keyword "${keyword}" runs programs, loads code, reads files or chooses users. Write it in the template.`;
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
