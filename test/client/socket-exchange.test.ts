import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import path from 'node:path';
import t from 'tap';
import { exchangeOverSocket, SocketExchangeError } from '../../lib/client/socket-exchange.ts';
import type { Address } from '../../lib/model/address.ts';
import { makeSocketFolder } from '../socket-folder.ts';

interface TestLike {
  teardown(end: () => unknown): unknown;
}

/** A server that does one thing with each connection. */
async function serve(t: TestLike, onConnection: (socket: Socket) => void): Promise<Address> {
  const server = createServer(onConnection).listen(0, '127.0.0.1');
  endAfter(t, server);
  await once(server, 'listening');
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

function endAfter(t: TestLike, server: Server): void {
  const open = new Set<Socket>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.on('error', () => {});
  });
  t.teardown(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
}

t.test('the answer is what came until the server closed the connection', async (t) => {
  const to = await serve(t, (socket) => socket.once('data', (request) => socket.end(`heard ${request}`)));
  t.equal(await exchangeOverSocket({ to, request: 'hello', until: 'closed', timeoutMs: 5_000 }), 'heard hello');
});

t.test('the answer is what came until it is complete, in as many pieces as it takes', async (t) => {
  const to = await serve(t, (socket) => {
    socket.write('one ');
    setImmediate(() => socket.write('two.'));
  });
  const until = (received: string) => received.endsWith('.');
  t.equal(await exchangeOverSocket({ to, until, timeoutMs: 5_000 }), 'one two.');
});

t.test('a unix domain socket works too, and one may only connect', async (t) => {
  const file = path.join(makeSocketFolder(t), 'admin.sock');
  const server = createServer().listen(file);
  endAfter(t, server);
  await once(server, 'listening');
  t.equal(await exchangeOverSocket({ to: file, until: 'connected', timeoutMs: 5_000 }), '');
});

t.test('an exchange ends with its reason, and closes its connection', async (t) => {
  const closed = Promise.withResolvers<void>();
  const silent = await serve(t, (socket) => socket.on('close', () => closed.resolve()));
  const hasty = await serve(t, (socket) => socket.end('no'));
  const reasonOf = async (to: Address): Promise<string> => {
    const error = await exchangeOverSocket({ to, until: () => false, timeoutMs: 300 }).catch((thrown) => thrown);
    return error instanceof SocketExchangeError ? `${error.reason}: ${error.message}` : String(error);
  };
  t.equal(await reasonOf(silent), 'timeout: did not answer within 300 ms');
  await closed.promise;
  t.equal(await reasonOf(hasty), 'closed: closed the connection');
  t.match(await reasonOf({ host: '127.0.0.1', port: 1 }), /^unreachable: cannot be reached: .*ECONNREFUSED/);
});

t.test('an abort ends an exchange with its own reason', async (t) => {
  const controller = new AbortController();
  const to = await serve(t, () => controller.abort(new Error('the daemon stops')));
  const exchange = { to, until: 'closed', timeoutMs: 5_000, signal: controller.signal } as const;
  await t.rejects(exchangeOverSocket(exchange), { message: 'the daemon stops' });
  await t.rejects(exchangeOverSocket(exchange), { message: 'the daemon stops' }, 'also before it begins');
});
