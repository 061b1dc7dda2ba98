import { isLoopback, isUnspecified } from '../../model/address.ts';
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
    addresses.push(importAddress({ file, directives }, output));
    describeScripts({ file, directives }, output);
    describeAccess({ file, directives }, output);
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

interface SentinelConf {
  readonly file: ImportFile;
  readonly directives: readonly Directive[];
}

/** What it announces, or else what it listens at: of several addresses one that other machines reach. */
function importAddress({ file, directives }: SentinelConf, output: ImportOutput): string {
  const settingOf = (name: string) => directives.findLast(({ words }) => words[0]?.toLowerCase() === name);
  const announced = (name: string) => directives.findLast(({ words }) => isSentinel(words, name))?.words[2];
  const bind = settingOf('bind');
  const bound = bind?.words.slice(1).map((word) => word.replace(/^-/, '')) ?? [];
  const reachable =
    announced('announce-ip') ??
    bound.find((host) => !/^(?:::)?\*$/.test(host) && !isUnspecified(host) && !isLoopback(host));
  if (reachable === undefined) {
    const why = 'it names no address that other machines reach';
    const advice = 'write its address into sentinel.addresses in place of 127.0.0.1';
    output.leave(file.path, { line: bind?.line ?? 1, what: 'bind', why, advice });
  }
  const host = reachable ?? '127.0.0.1';
  const listens = settingOf('port')?.words[1] ?? '26379';
  const tls = settingOf('tls-port');
  if (listens === '0' && tls !== undefined) {
    const why = 'it speaks TLS alone';
    output.leave(file.path, { line: tls.line, what: 'tls-port', why, advice: 'set sentinel.tls' });
  }
  const announcedPort = announced('announce-port');
  const own = listens === '0' ? (tls?.words[1] ?? listens) : listens;
  const port = announcedPort === undefined || announcedPort === '0' ? own : announcedPort;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
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

/** Directives about users and passwords, with what to do in place of them. */
const access: Readonly<Record<string, string>> = {
  requirepass: 'write the password into a file, and set sentinel.passwordFile',
  user: 'set sentinel.username and sentinel.passwordFile, and give the user the rules of docs/reference/redis-acl.md',
  aclfile:
    'set sentinel.username and sentinel.passwordFile, and give the user the rules of docs/reference/redis-acl.md',
  'sentinel-user': 'it is for the other Sentinels: set sentinel.username to a user of the daemon',
  'sentinel-pass': 'it is for the other Sentinels: set sentinel.passwordFile to a file with the password of the daemon',
  'auth-user': 'set sentinel.redis.username',
  'auth-pass': 'write the password into a file, and set sentinel.redis.passwordFile',
};

/** One user and one password are for all masters here, so each different one is left to do. */
function describeAccess({ file, directives }: SentinelConf, output: ImportOutput): void {
  for (const [name, advice] of Object.entries(access)) {
    const found = directives.filter(({ words }) => words[0]?.toLowerCase() === name || isSentinel(words, name));
    const isForMasters = name.startsWith('auth-');
    const first = found[0]?.words.at(-1);
    const left = found.filter(({ words }, i) => i === 0 || !isForMasters || words.at(-1) !== first);
    for (const { words, line } of left) {
      const isOther = isForMasters && words.at(-1) !== first;
      const why = isOther ? `the one of ${words[2]} differs, and all masters have one here` : 'it is not copied';
      output.leave(file.path, { line, what: name, why, advice });
    }
  }
}
