import type { ImportFile, ImportResult } from '../output.ts';
import { ImportOutput } from '../output.ts';
import { importInvalid } from '../problem.ts';

interface Directive {
  readonly words: readonly string[];
  readonly line: number;
}

/** The config files of Sentinels that call a script at each failover. */
export async function importClientReconfigScript(files: readonly ImportFile[]): Promise<ImportResult> {
  const output = new ImportOutput();
  const addresses: string[] = [];
  const masters = new Set<string>();
  for (const file of files) {
    const directives = readDirectives(file);
    const monitored = directives.filter(({ words }) => isSentinel(words, 'monitor')).map(({ words }) => words[2] ?? '');
    if (monitored.length === 0)
      throw importInvalid({ file: file.path, line: 1 }, 'it is no config of Sentinel: it has no sentinel monitor');
    for (const name of monitored) masters.add(name);
    addresses.push(addressOf(directives));
    describeScripts({ file, directives }, output);
    describePasswords({ file, directives }, output);
  }
  return output.finish({ sentinel: { addresses: [...new Set(addresses)], masters: [...masters] } });
}

function readDirectives({ text }: ImportFile): readonly Directive[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    const words = [...line.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|(\S+)/g)].map(
      ([, double, single, bare]) => double ?? single ?? bare ?? '',
    );
    return words.length === 0 || words[0]?.startsWith('#') === true ? [] : [{ words, line: index + 1 }];
  });
}

function isSentinel(words: readonly string[], directive: string): boolean {
  return words[0]?.toLowerCase() === 'sentinel' && words[1]?.toLowerCase() === directive && words.length > 2;
}

/** What it announces, or else what it listens at. */
function addressOf(directives: readonly Directive[]): string {
  const settingOf = (name: string) => directives.findLast(({ words }) => words[0]?.toLowerCase() === name)?.words[1];
  const announced = (name: string) => directives.findLast(({ words }) => isSentinel(words, name))?.words[2];
  const bind = settingOf('bind')?.replace(/^-/, '');
  const host =
    announced('announce-ip') ?? (bind === undefined || /^(?:\*|0\.0\.0\.0|::\*?)$/.test(bind) ? '127.0.0.1' : bind);
  const announcedPort = announced('announce-port');
  const port = announcedPort === undefined || announcedPort === '0' ? (settingOf('port') ?? '26379') : announcedPort;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

interface SentinelConf {
  readonly file: ImportFile;
  readonly directives: readonly Directive[];
}

function describeScripts({ file, directives }: SentinelConf, output: ImportOutput): void {
  for (const name of ['client-reconfig-script', 'notification-script']) {
    for (const { words, line } of directives.filter((one) => isSentinel(one.words, name))) {
      const what = words.join(' ');
      const [, , master = '', script = ''] = words;
      const advice =
        name === 'notification-script'
          ? 'alert on the metrics (deploy/prometheus/alerts.yml), or read switchmaster watch --json'
          : `write a template for each file that the script changes, with {{#with (redisMaster "${master}")}} for the address, then run SENTINEL SET ${master} client-reconfig-script ""`;
      output.leave(file.path, { line, what, why: `a program does what ${script} does for ${master}`, advice });
    }
  }
}

function describePasswords({ file, directives }: SentinelConf, output: ImportOutput): void {
  const secrets = [
    ['requirepass', 'sentinel.passwordFile'],
    ['auth-pass', 'sentinel.redis.passwordFile'],
  ] as const;
  for (const [name, key] of secrets) {
    const found = directives.find(({ words }) => words[0]?.toLowerCase() === name || isSentinel(words, name));
    if (found === undefined) continue;
    const advice = `write it into a file, and set ${key}`;
    output.leave(file.path, { line: found.line, what: name, why: 'a password is not copied', advice });
  }
}
