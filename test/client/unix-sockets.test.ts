import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { diagnose } from '../../lib/client/diagnosis.ts';
import { faultOfError } from '../../lib/client/fault.ts';
import { exchangeOverSocket, SocketExchangeError } from '../../lib/client/socket-exchange.ts';
import { linkFaults } from '../../lib/model/link-fault.ts';
import { probeRedis } from '../../lib/renderer/apply/probe.ts';

/* Unix sockets that are there and cannot be used, as an admin socket of HAProxy, a twemproxy or a Redis has them. */

const nobody = 65_534;
const timeoutMs = 2_000;

/** The path of a socket has at most 107 bytes. */
function shortFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'sockets-'));
  chmodSync(folder, 0o755);
  t.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function listen(t: Test, path: string): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => {}).end('+PONG\r\n'));
  server.listen(path);
  await once(server, 'listening');
  t.teardown(() => server.close());
  return server;
}

/** The fault of an exchange over the socket, as the reload of HAProxy and the checks of proxies have it. */
async function faultOf(path: string): Promise<string | undefined> {
  const error = await exchangeOverSocket({ to: path, until: 'connected', timeoutMs }).catch(
    (thrown: unknown) => thrown,
  );
  return error instanceof SocketExchangeError ? faultOfError(error.cause ?? {}) : 'connected';
}

t.test('a socket that a dead process left behind is named, and one that is gone', async (t) => {
  const folder = shortFolder(t);
  writeFileSync(join(folder, 'file.sock'), '');
  const path = join(folder, 'a.sock');
  const server = await listen(t, path);
  t.equal(await faultOf(path), 'connected');
  // Node removes the file of a server that it closes; a killed process does not.
  renameSync(path, `${path}.kept`);
  server.close();
  await once(server, 'close');
  renameSync(`${path}.kept`, path);
  const expected = [
    [path, 'socket-stale'],
    [join(folder, 'none.sock'), 'socket-missing'],
    [join(folder, 'file.sock'), 'socket-stale'],
    [join(folder, 'file.sock', 'a.sock'), 'socket-missing'],
  ] as const;
  for (const [at, fault] of expected) {
    t.equal(await faultOf(at), fault, at);
    t.equal(await diagnose(at, { tls: undefined, timeoutMs }), fault, at);
    const attempt = { timeoutMs, signal: new AbortController().signal };
    const message = `${at} cannot be reached: the server ${linkFaults[fault].says}; ${linkFaults[fault].hint}.`;
    await t.rejects(probeRedis(at, {}, attempt), { code: 'verify-failed', message }, 'verify of a consumer');
  }
});

t.test('a socket that refuses permission is named, and a folder that does', async (t) => {
  if (process.getuid?.() !== 0) {
    t.pass('only root can give up root');
    return;
  }
  const folder = shortFolder(t);
  mkdirSync(join(folder, 'closed'));
  const inside = join(folder, 'closed', 'a.sock');
  const path = join(folder, 'a.sock');
  await listen(t, path);
  await listen(t, inside);
  chmodSync(path, 0o600);
  chmodSync(join(folder, 'closed'), 0o700);
  const client = join(import.meta.dirname, '../../lib/client');
  const script = `
    const { diagnose } = await import('${client}/diagnosis.ts');
    process.setgroups([]); process.setgid(${nobody}); process.setuid(${nobody});
    const options = { tls: undefined, timeoutMs: ${timeoutMs} };
    const paths = ${JSON.stringify([path, inside])};
    console.log(JSON.stringify(await Promise.all(paths.map((path) => diagnose(path, options)))));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  t.equal(stdout.trim(), '["socket-denied","socket-denied"]', stderr);
});
