import type { ImportFile, ImportResult, ReadFile } from '../output.ts';
import { importInvalid } from '../problem.ts';
import type { RemarkText } from '../remark.ts';
import { importAgent } from './agent.ts';

/** The options of its command line, and the defaults of its lib/cli.js. */
const options = [
  ['host', 'h', '127.0.0.1'],
  ['port', 'p', '26379'],
  ['config', 'f', '/etc/twemproxy/conf/22121.yml'],
  ['command', 'c', '/etc/init.d/twemproxy restart'],
] as const;

/**
 * The script or unit that starts the agent, or its lib/cli.js with the defaults that somebody set there; and as a second
 * file the config of twemproxy if its path is not that of this machine.
 */
export function importRedisTwemproxyAgent(files: readonly ImportFile[], read: ReadFile): Promise<ImportResult> {
  const file = files.find(({ text }) => /cli\.parse\s*\(|redis[-_]twemproxy[-_]agent/.test(text));
  if (file === undefined) {
    const message = 'it neither starts redis_twemproxy_agent nor is its lib/cli.js';
    throw importInvalid({ file: files[0]?.path ?? 'redis-twemproxy-agent', line: 1 }, message);
  }
  const [start, ...others] = startLines(file.text);
  const doubts: RemarkText[] = others.map(({ line }) => ({
    line,
    what: 'redis_twemproxy_agent',
    why: 'another line starts the agent',
    advice: 'import that one by itself',
  }));
  const [host = '', port = '', proxyConfig = '', command = ''] = options.map(([name, letter, fallback]) => {
    const stated = optionOf(start?.words ?? [], { name, letter }) ?? declared(file.text, name);
    const value = stated ?? fallback;
    const assumed = start === undefined && stated === undefined;
    const why = assumed ? `no line starts the agent with it, so it is taken for ${value}` : `it is ${value}`;
    const doubt = { line: start?.line ?? 1, what: `--${name}`, why, advice: 'replace it by what the agent runs with' };
    if (assumed || /\$[\w{(]/.test(value)) doubts.push(doubt);
    return value;
  });
  const lineOf = (name: string) => start?.line ?? lineOfDeclared(file.text, name);
  const lines = { host: lineOf('host'), proxyConfig: lineOf('config') };
  return importAgent(
    { file, host, port, proxyConfig, command, lines, pathSetting: '--config', pool: undefined, doubts },
    { files, read },
  );
}

/** `host: ['h', 'description', 'string', 'VALUE']`. */
function findDeclared(text: string, name: string): RegExpExecArray | null {
  return new RegExp(`\\b${name}\\s*:\\s*\\[[^\\]]*,\\s*(?:'([^']*)'|"([^"]*)"|(\\d+))\\s*\\]`).exec(text);
}

function declared(text: string, name: string): string | undefined {
  const [, single, double, number] = findDeclared(text, name) ?? [];
  return single ?? double ?? number;
}

function lineOfDeclared(text: string, name: string): number {
  const index = findDeclared(text, name)?.index ?? 0;
  return text.slice(0, index).split('\n').length;
}

interface StartLine {
  readonly line: number;
  /** What follows the agent's name. */
  readonly words: readonly string[];
}

/** The lines that start the agent with options. */
function startLines(text: string): readonly StartLine[] {
  return [...text.matchAll(/(?:[^\n]*\\\r?\n)*[^\n]*/g)]
    .filter(
      ([line]) => /redis[-_]twemproxy[-_]agent["']?\s+-/.test(line.replace(/\\\r?\n/g, ' ')) && !/^\s*#/.test(line),
    )
    .map(({ 0: lines, index }) => {
      const joined = lines.replace(/\\\r?\n/g, ' ');
      const rest = joined.slice(joined.search(/redis[-_]twemproxy[-_]agent["']?\s+-/));
      const words = [...rest.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|(\S+)/g)].map(
        // The agent may stand within quotes, which end after its last option.
        ([, double, single, bare]) => double ?? single ?? bare?.replace(/["']$/, '') ?? '',
      );
      return { line: text.slice(0, index).split('\n').length, words };
    });
}

function optionOf(
  words: readonly string[],
  { name, letter }: { readonly name: string; readonly letter: string },
): string | undefined {
  const joined = words.find((word) => word.startsWith(`--${name}=`));
  if (joined !== undefined) return joined.slice(name.length + 3);
  const at = words.findIndex((word) => word === `--${name}` || word === `-${letter}`);
  return at < 0 ? undefined : words[at + 1];
}
