import { type ChildProcess, spawn } from 'node:child_process';
import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t, { type Test } from 'tap';
import { findWays, presentWays, tryConnect, tryConnectAll } from '../../lib/crash/connect-attempt.ts';
import { toAddress } from '../../lib/model/address.ts';
import { waitFor } from '../sandbox/condition.ts';

const timeoutMs = 1_000;

/** A listener at a free port of 127.0.0.1, and a way to it. */
async function listen(onConnection?: Parameters<typeof createServer>[1]): Promise<{ server: Server; port: number }> {
  const server = createServer({}, onConnection);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const at = server.address();
  if (at === null || typeof at === 'string') throw new Error('it listens on no port');
  return { server, port: at.port };
}

/** The port of a stopped process whose queue of connections is full: the kernel answers no further one. */
async function listenWithoutRoom(t: Test): Promise<number> {
  const program =
    "const s = require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(s.address().port))";
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const [text] = await once(child.stdout, 'data');
  child.kill('SIGSTOP');
  const isStopped = () => /^State:\tT/m.test(readFileSync(`/proc/${child.pid}/status`, 'utf8'));
  await waitFor('the process to stop', isStopped);
  const port = Number(text);
  for (const _ of [1, 2]) {
    const queued = connect({ host: '127.0.0.1', port });
    t.teardown(() => queued.destroy());
    await once(queued, 'connect');
  }
  return port;
}

const wayTo = (port: number) => ({ to: { host: '127.0.0.1', port }, from: undefined });

t.test('a listener accepts, also one that closes each connection at once', async (t) => {
  const open = await listen();
  const closing = await listen((socket) => socket.destroy());
  t.equal(await tryConnect(wayTo(open.port), { timeoutMs }), 'accepted');
  t.equal(await tryConnect(wayTo(closing.port), { timeoutMs }), 'accepted');
  open.server.close();
  closing.server.close();
});

t.test('a process that is killed before it accepts: the kernel had accepted the connection', async (t) => {
  const program = "const s = require('net').createServer().listen(0, '127.0.0.1', () => console.log(s.address().port))";
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const [text] = await once(child.stdout, 'data');
  child.kill('SIGSTOP');
  // This process is busy, so it learns of the connection when the listener is gone.
  const whenTried = ({ socket }: { readonly socket: Socket }) =>
    socket.once('connectionAttempt', () => process.nextTick(() => killNow(child)));
  const created = (message: unknown) => whenTried(message as { socket: Socket });
  channel('net.client.socket').subscribe(created);
  const attempt = tryConnect(wayTo(Number(text)), { timeoutMs });
  channel('net.client.socket').unsubscribe(created);
  t.equal(await attempt, 'accepted');
  t.equal(await tryConnect(wayTo(Number(text)), { timeoutMs }), 'refused');
});

/** Kills it, and returns when it has ended: its last thread is a zombie, because this process does not wait for it meanwhile. */
function killNow({ pid }: ChildProcess): void {
  process.kill(pid ?? 0, 'SIGKILL');
  const isEnded = () => /^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  const untilMs = performance.now() + 10_000;
  while (!isEnded() || readdirSync(`/proc/${pid}/task`).length > 1)
    if (performance.now() > untilMs) throw new Error(`process ${pid} has not ended 10 s after SIGKILL`);
}

t.test('a port without a listener is refused, on every way only if all of them are', async (t) => {
  const { server, port } = await listen();
  const other = await listen();
  server.close();
  t.equal(await tryConnect(wayTo(port), { timeoutMs }), 'refused');
  t.equal(await tryConnect({ ...wayTo(port), from: '127.0.0.9' }, { timeoutMs }), 'refused');
  t.equal(await tryConnectAll([wayTo(port), wayTo(port)], { timeoutMs }), 'refused');
  t.equal(await tryConnectAll([wayTo(port), wayTo(other.port)], { timeoutMs }), 'accepted');
  other.server.close();
});

t.test('a socket without a listener is refused', async (t) => {
  const to = path.join(tmpdir(), `no-such-${process.pid}.sock`);
  t.equal(await tryConnect({ to, from: undefined }, { timeoutMs }), 'refused');
});

t.test(
  'everything else is unclear: a time-out, an address that this host does not have, an unknown name',
  async (t) => {
    const { server, port } = await listen();
    t.equal(await tryConnect(wayTo(await listenWithoutRoom(t)), { timeoutMs: 50 }), 'unclear');
    t.equal(await tryConnect({ ...wayTo(port), from: '192.0.2.1' }, { timeoutMs }), 'unclear');
    t.equal(await tryConnect({ to: { host: 'no-such.invalid', port }, from: undefined }, { timeoutMs }), 'unclear');
    server.close();
  },
);

t.test('a host reaches a loopback address in one way, and loses the ways of addresses that it loses', async (t) => {
  const { server, port } = await listen();
  const to = toAddress('127.0.0.1', port);
  if (to === undefined) throw new Error('no address');
  const usual = { to, from: undefined };
  t.strictSame(await findWays(to), [usual]);
  t.strictSame(presentWays([usual, { to, from: '192.0.2.1' }]), [usual]);
  server.close();
});
