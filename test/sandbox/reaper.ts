// One reaper runs beside each sandbox. It claims the sandbox's network, creates its folder, and holds a pipe to the parent.
// When the pipe ends, because the sandbox was closed or the parent died, it kills every process of the sandbox and removes
// the folder.
//
// A process belongs to the sandbox if its environment has the marker, which descendants inherit and /proc shows. That also
// finds what the parent started in its last millisecond, and what the servers started themselves.
//
// argv: the sandbox's name, and its network if it has one of its own. Standard output: one line of JSON,
// {"id","folder","network"}.
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { markerVariable } from './marker.ts';

const claimPort = 6999;

async function main(name: string, network?: string): Promise<void> {
  process.stdin.resume();
  const parentGone = once(process.stdin, 'close');
  const claimed = network === undefined ? await claimNetwork() : { network, claim: await listen(`${network}.1`) };
  const folder = mkdtempSync(join(tmpdir(), `switchmaster-${name}-`));
  const id = basename(folder);
  process.stdout.on('error', () => undefined);
  process.stdout.write(`${JSON.stringify({ id, folder, network: claimed.network })}\n`);
  await parentGone;
  await reap(`${markerVariable}=${id}`);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  claimed.claim?.close();
}

async function claimNetwork(): Promise<{ network: string; claim: Server }> {
  for (;;) {
    const network = `127.${randomInt(16, 240)}.${randomInt(0, 256)}`;
    const claim = await listen(`${network}.1`);
    if (claim !== undefined) return { network, claim };
  }
}

function listen(host: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen({ host, port: claimPort, exclusive: true }, () => resolve(server));
  });
}

async function reap(marker: string): Promise<void> {
  // Killing is repeated until no process is found, because one may have forked meanwhile.
  for (let pids = marked(marker); pids.length > 0; pids = marked(marker)) {
    for (const pid of pids) kill(pid);
    await delay(20);
  }
}

function marked(marker: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .filter((entry) => environment(entry).includes(marker))
    .map(Number);
}

function environment(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    // Gone meanwhile, or another user's.
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

// The pipe ends with the parent. A Ctrl-C for the parent must not end its reaper before that.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

await main(process.argv[2] ?? 'unnamed', process.argv[3]);
