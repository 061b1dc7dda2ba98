import { once } from 'node:events';
import { request } from 'node:http';
import net, { type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { waitFor } from '../sandbox/condition.ts';
import { listen, serve } from './serve.ts';
import { exampleViews } from './views.ts';

/* One client cannot lock out the others: each address has its own number of connections. */

async function open(t: Test, given: { port: number; from: string }): Promise<Socket> {
  const socket = net.connect({ host: '127.0.0.1', port: given.port, localAddress: given.from });
  socket.on('error', () => undefined);
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** The status of an answer, or `closed`. */
function ask(given: { port: number; from: string; path: string }): Promise<number | 'closed'> {
  const { promise, resolve } = Promise.withResolvers<number | 'closed'>();
  const asked = request({
    host: '127.0.0.1',
    port: given.port,
    localAddress: given.from,
    path: given.path,
    agent: false,
  });
  asked.on('response', (answer) => {
    resolve(answer.statusCode ?? 0);
    answer.destroy();
  });
  asked.on('error', () => resolve('closed'));
  asked.end();
  return promise;
}

t.test('a client beyond its number of connections is closed, and another one is answered', async (t) => {
  const { server } = serve(t, exampleViews(), { maxConnectionsPerClient: 3 });
  const port = await listen(server);
  const [from, other] = ['127.0.0.1', '127.0.0.2'];
  const held = await Promise.all([1, 2, 3].map(() => open(t, { port, from })));
  const live = (client: string) => ask({ port, from: client, path: '/live' });
  await waitFor('a refusal', () => live(from), { until: (answer) => answer === 'closed' });
  t.equal(await live(other), 200);
  held[0]?.destroy();
  await waitFor('a free place', () => live(from), { until: (answer) => answer === 200 });
});

t.test('streams count as connections, and a closed one frees its place', async (t) => {
  const { server, streams } = serve(t, exampleViews(), { maxConnectionsPerClient: 2 });
  const port = await listen(server);
  const readers = await Promise.all([1, 2].map(() => open(t, { port, from: '127.0.0.1' })));
  for (const reader of readers) reader.write('GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  await waitFor('two streams', () => streams.size, { until: (size) => size === 2 });
  t.equal(await ask({ port, from: '127.0.0.1', path: '/live' }), 'closed');
  t.equal(await ask({ port, from: '127.0.0.3', path: '/live' }), 200);
  readers[0]?.destroy();
  await waitFor('a free place', () => ask({ port, from: '127.0.0.1', path: '/live' }), {
    until: (answer) => answer === 200,
  });
});
