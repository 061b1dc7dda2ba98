// Runs docker-compose.yml without a container engine: npm run test:compose. It compares the file with what Compose's own parser
// reads, checks the Dockerfile with a linter, builds the image in a chroot, starts the services in namespaces of their own, and
// tries them. Needs root and Go. `-- --up` only starts them, until Ctrl-C, and `-- SERVICE...` kills only these in turn.
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdtemp, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compareWithComposeGo } from './compose-go.ts';
import { lintDockerfile } from './dockerfile-lint.ts';
import { builtFrom, readComposeFile } from './file.ts';

if (process.getuid?.() !== 0) {
  console.error('test:compose needs root: it mounts file systems and makes network namespaces.');
  process.exit(2);
}
const build = fileURLToPath(new URL('build.ts', import.meta.url));
const rounds = fileURLToPath(new URL('rounds.ts', import.meta.url));
const file = readComposeFile();
await compareWithComposeGo(file);
await lintDockerfile(builtFrom(file));
const folder = await mkdtemp(join(tmpdir(), 'switchmaster-compose-'));
try {
  const image = await start(['unshare', '--mount', process.execPath, build], 'pipe');
  const isolation = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  await start(['unshare', ...isolation, process.execPath, rounds, folder, image, ...process.argv.slice(2)], 'inherit');
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
  for (const group of globSync(`/sys/fs/cgroup/*/${basename(folder)}-*`)) await rmdir(group).catch(() => undefined);
}

function start([file = '', ...args]: readonly string[], stdout: 'pipe' | 'inherit'): Promise<string> {
  const child = spawn(file, args, { stdio: ['ignore', stdout, 'inherit'] });
  const script = args.find((arg) => arg.endsWith('.ts'));
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve(output) : reject(new Error(`${script} ended with ${code}`))));
  });
}
