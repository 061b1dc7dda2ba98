// Runs docker-compose.yml without a container engine: npm run test:compose. It compares the file with what Compose's own parser
// reads, checks the Dockerfile with a linter, builds the image in a chroot, starts the services in namespaces of their own, and
// tries them. Needs root and Go. `-- --up` only starts them, until Ctrl-C, and `-- SERVICE...` kills only these in turn.
import { type ChildProcess, spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdtemp, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compareWithComposeGo } from './compose-go.ts';
import { lintDockerfile } from './dockerfile-lint.ts';
import { builtFrom, readComposeFile } from './file.ts';
import { killAll } from './first-process.ts';
import { crashing } from './play.ts';

if (process.getuid?.() !== 0) {
  console.error('test:compose needs root: it mounts file systems and makes network namespaces.');
  process.exit(2);
}
const build = fileURLToPath(new URL('build.ts', import.meta.url));
const rounds = fileURLToPath(new URL('rounds.ts', import.meta.url));
const file = readComposeFile();
const known = ['--up', ...crashing(file.services.values()).map(({ name }) => name)];
const unknown = process.argv.slice(2).filter((arg) => !known.includes(arg));
if (unknown.length > 0) {
  console.error(`test:compose cannot kill ${unknown.join(', ')}; there are ${known.join(', ')}`);
  process.exit(2);
}
await compareWithComposeGo(file);
await lintDockerfile(builtFrom(file));
const folder = await mkdtemp(join(tmpdir(), 'switchmaster-compose-'));
let stopped: NodeJS.Signals | undefined;
let running: ChildProcess | undefined;
let killed = Promise.resolve();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    stopped = signal;
    if (running !== undefined) killed = killAll(running);
  });
try {
  const image = await start(['--mount'], [build], 'pipe');
  await start(['--net', '--mount'], [rounds, folder, image, ...process.argv.slice(2)], 'inherit');
} catch (error) {
  if (stopped === undefined) console.error(error instanceof Error ? error.message : error);
  process.exitCode = stopped === undefined ? 1 : 130;
} finally {
  await killed;
  await rm(folder, { recursive: true, force: true });
  for (const group of globSync(`/sys/fs/cgroup/*/${basename(folder)}-*`)) await rmdir(group).catch(() => undefined);
}

/** Runs a script as the first process of its own process ids, so that all that it starts ends with it, and it with this process. */
function start(isolation: readonly string[], script: readonly string[], stdout: 'pipe' | 'inherit'): Promise<string> {
  if (stopped !== undefined) throw new Error(`stopped by ${stopped}`);
  const unshare = ['unshare', ...isolation, '--pid', '--fork', '--kill-child', '--mount-proc'];
  const args = ['--pdeathsig', 'KILL', ...unshare, process.execPath, ...script];
  const child = spawn('setpriv', args, { stdio: ['ignore', stdout, 'inherit'] });
  running = child;
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve(output) : reject(new Error(`${script[0]} ended with ${code}`))));
  });
}
