import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import {
  probeHaproxy,
  readHaproxyStats,
  readTwemproxyStats,
  TwemproxyProbe,
  type TwemproxyServers,
} from '../../lib/client/proxy.ts';

// What nutcracker and HAProxy say themselves is read in test/integration/registrar/proxies.test.ts.

t.test('a server of twemproxy is broken from a failure until its next response', async (t) => {
  let servers: TwemproxyServers = new Map();
  const state = (responses: number, server_err: number, server_connections = 0) => {
    const one = { server_eof: 0, server_err, server_timedout: 0, server_connections, responses };
    const stats = { service: 'nutcracker', version: '0.5.0', pool: { client_connections: 1, one } };
    ({ servers } = readTwemproxyStats(JSON.stringify(stats), servers));
    return servers.get('pool/one')?.state;
  };
  t.equal(state(0, 0), 'well', 'nothing was sent to it');
  t.equal(state(0, 1), 'broken');
  t.equal(state(0, 1, 1), 'broken', 'it hangs: connected, and no response');
  t.equal(state(5, 1, 1), 'well');
  t.equal(state(5, 1, 0), 'well', 'an idle connection was closed');
  t.equal(state(5, 2), 'broken');
  t.equal(state(6, 3), 'broken', 'both since the last reading');
  t.equal(state(7, 4, 1), 'well', 'both, and it is connected');
  t.equal(state(0, 0), 'well', 'twemproxy was restarted');
  servers = new Map();
  t.equal(state(5, 2), 'broken', 'the first reading');
  servers = new Map();
  t.equal(state(5, 2, 1), 'well', 'the first reading, and it is connected');
  const ejected = { pool: { one: { server_ejected_at: 1, responses: 5, server_err: 2 } } };
  t.equal(readTwemproxyStats(JSON.stringify(ejected), servers).servers.get('pool/one')?.state, 'broken', 'ejected');
  t.throws(() => readTwemproxyStats('not JSON', servers));
});

t.test('a backend of HAProxy that is DOWN is broken', async (t) => {
  const text = [
    'Name: HAProxy',
    'Version: 2.6.12',
    '',
    '# pxname,svname,qcur,status,',
    'shard1,FRONTEND,,OPEN,',
    'shard1,master,0,DOWN,',
    'shard1,BACKEND,0,DOWN,',
    'shard2,BACKEND,0,UP,',
    '',
  ].join('\n');
  t.same(readHaproxyStats(text), { kind: 'proxy', version: '2.6.12', broken: ['shard1'] });
  for (const other of ['', '-ERR unknown command\r\n', '{}']) t.throws(() => readHaproxyStats(other));
});

t.test('a proxy that answers is up, whatever is at the place of its statistics', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'stats-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const listen = async (at: string | { host: string }, answer: (socket: Socket) => void) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      answer(socket);
    });
    if (typeof at === 'string') server.listen(at);
    else server.listen(0, at.host);
    await once(server, 'listening');
    t.teardown(() => server.close());
    return server;
  };
  const proxy = await listen({ host: '127.0.0.1' }, (socket) => socket.on('data', () => socket.end('+PONG\r\n')));
  const address = { host: '127.0.0.1', port: (proxy.address() as AddressInfo).port };
  await listen(join(folder, 'other'), (socket) => socket.end('-ERR unknown command\r\n'));
  await listen(join(folder, 'silent'), (socket) => setTimeout(() => socket.destroy(), 1_500));
  // The socket file that a killed process leaves.
  const left = `require('node:net').createServer().listen(${JSON.stringify(join(folder, 'left'))}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', left]);
  for (const name of ['none', 'left', 'other', 'silent']) {
    const stats = join(folder, name);
    const unreadable = { kind: 'proxy', broken: [], stats: 'unreadable' };
    const deadline = { timeoutMs: 1_000 };
    t.match(await probeHaproxy({ address, stats }, deadline), unreadable, `HAProxy, ${name}`);
    t.match(await new TwemproxyProbe({ address, stats }).probe(deadline), unreadable, `twemproxy, ${name}`);
  }
});
