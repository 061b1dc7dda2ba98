import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';

/** What a client program is to do. */
export interface ClientJob {
  /** `host:port` of each Sentinel or endpoint. */
  readonly sentinels: readonly string[];
  /** Of the master. */
  readonly name: string;
  /** The set that it writes into, or the queue that it sends tasks to. */
  readonly key: string;
  /** Of the Sentinels. */
  readonly password?: string;
  /** The certificate authority of the Sentinels, which then use TLS. */
  readonly caFile?: string;
}

/** A library, and how to start the program that writes through it. */
export interface ClientProgram {
  readonly library: string;
  /** Without the job, which is the last argument. */
  readonly argv: readonly [string, ...string[]];
  /** How many addresses of endpoints it gets. Default 1. One that stops writing while no Sentinel answers needs two. */
  readonly endpoints?: 2;
  /** How long the library itself waits before it asks its Sentinels again, where nothing sets that. Default 0. */
  readonly stepMs?: number;
  /** What it can do at the Sentinels: a password and TLS, with none at Redis. Default: a password. */
  readonly access?: 'none' | 'tls';
}

const folder = import.meta.dirname;
const toolsDir = join(folder, '../../.tools');

const nodeArgv = (library: string) => [process.execPath, join(folder, library, 'main.mjs')] as const;

export const nodePrograms: readonly ClientProgram[] = [
  { library: 'ioredis', argv: nodeArgv('ioredis'), access: 'tls' },
  // sentinel/index.js, #connect.
  { library: 'node-redis', argv: nodeArgv('node-redis'), endpoints: 2, stepMs: 1_000, access: 'tls' },
];

/** Libraries of Debian, which the setup unpacks: of Debian 12 and 13. */
const debianPrograms: readonly ClientProgram[] = (
  [
    { library: 'redis-py4', main: 'redis-py/main.py', access: 'tls' },
    { library: 'redis-py6', main: 'redis-py/main.py', access: 'tls' },
    { library: 'celery5', main: 'celery/main.py' },
    { library: 'redis-rb5', main: 'redis-rb/main.rb' },
    { library: 'predis1', main: 'predis/main.php', access: 'none' },
  ] as const
).map(({ main, ...program }) => ({
  ...program,
  argv: [join(toolsDir, 'bin', program.library), join(folder, main)],
}));

const goProgram = join(toolsDir, 'bin/switchmaster-go-clients');

function goPrograms(): readonly ClientProgram[] {
  return [
    { library: 'go-redis', argv: [goProgram, 'goredis'] },
    { library: 'rueidis', argv: [goProgram, 'rueidis'], access: 'tls' },
  ];
}

/** Every program that can run here. Reports each library that is left out, with the reason. */
export async function preparePrograms(report: (line: string) => void): Promise<readonly ClientProgram[]> {
  const debian = debianPrograms.filter(({ library, argv }) => {
    const isThere = existsSync(argv[0]);
    if (!isThere) report(`leaves out ${library}: it could not be unpacked from Debian`);
    return isThere;
  });
  const go = await buildGoPrograms(report);
  return [...nodePrograms, ...debian, ...go];
}

async function buildGoPrograms(report: (line: string) => void): Promise<readonly ClientProgram[]> {
  report('building go-redis and rueidis with the Go client, some minutes the first time');
  const path = [process.env.PATH ?? '', '/usr/local/go/bin', '/usr/lib/go/bin'].join(delimiter);
  const { failed, code, stderr } = await execa('go', ['build', '-o', goProgram, '.'], {
    cwd: join(folder, 'go'),
    env: { PATH: path },
    reject: false,
    timeout: 900_000,
  });
  if (code === 'ENOENT') {
    report('leaves out go-redis and rueidis: there is no Go here (https://go.dev/doc/install)');
    return [];
  }
  if (failed) throw new Error(`\`go build\` failed:\n${String(stderr).slice(-2_000)}`);
  return goPrograms();
}
