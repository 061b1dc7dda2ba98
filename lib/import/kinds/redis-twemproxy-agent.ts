import type { ImportFile, ImportResult, ReadFile } from '../output.ts';
import { importInvalid } from '../problem.ts';
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
  const words = commandLine(file.text);
  const [host = '', port = '', proxyConfig = '', command = ''] = options.map(
    ([name, letter, fallback]) => optionOf(words, { name, letter }) ?? declared(file.text, name) ?? fallback,
  );
  return importAgent({ file, sentinel: `${host}:${port}`, proxyConfig, command, pool: undefined }, { files, read });
}

/** `host: ['h', 'description', 'string', 'VALUE']`. */
function declared(text: string, name: string): string | undefined {
  const pattern = new RegExp(`\\b${name}\\s*:\\s*\\[[^\\]]*,\\s*(?:'([^']*)'|"([^"]*)"|(\\d+))\\s*\\]`);
  const [, single, double, number] = pattern.exec(text) ?? [];
  return single ?? double ?? number;
}

/** The words after the agent's name on the line that starts it. */
function commandLine(text: string): readonly string[] {
  const line = text
    .replace(/\\\r?\n/g, ' ')
    .split('\n')
    .find((one) => /redis_twemproxy_agent["']?\s+-/.test(one) && !/^\s*#/.test(one));
  const rest = line?.slice(line.search(/redis_twemproxy_agent/)) ?? '';
  return [...rest.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, bare]) => double ?? single ?? bare ?? '',
  );
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
