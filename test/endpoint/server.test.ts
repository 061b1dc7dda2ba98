import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { Access } from '../../lib/endpoint/access.ts';
import { makeView } from '../../lib/endpoint/plan/view.ts';
import type { Address } from '../../lib/model/address.ts';
import { serveView } from '../integration/support/serving-endpoint.ts';
import { waitFor } from '../sandbox/condition.ts';
import { makeRecord } from '../template/world.ts';

const own = { id: '0'.repeat(40), environment: '', transport: 'tcp' } as const;
const catalog = { records: [makeRecord()], masters: [], replicas: [], endpoints: [] };
const view = makeView(catalog, { naming: { environment: undefined }, own, nowMs: 0 });

async function open(t: Pick<Test, 'teardown'>, { host, port }: Address, options: object = {}): Promise<Socket> {
  const socket = connect({ host, port, ...options });
  socket.on('error', () => {});
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

function textOf(socket: Socket): () => string {
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  return () => text;
}

t.test('a refused client that sends a command reads why, and its connection closes', async (t) => {
  const { server, address } = await serveView(t, { view, over: { maxConnections: 1 } });
  await open(t, address);
  await waitFor('the only connection', () => server.facts.connections, { until: (count) => count === 1 });
  const refused = await open(t, address);
  const text = textOf(refused);
  refused.write('SENTINEL GET-MASTER-ADDR-BY-NAME shard1\r\n');
  await once(refused, 'close');
  t.equal(text(), '-ERR max number of clients reached\r\n');
  await server.close();
});

t.test(
  'the endpoint closes although refused clients keep their connections, and refuses the 101st at once',
  async (t) => {
    const { server, address } = await serveView(t, { view, over: { maxConnections: 1 } });
    await open(t, address);
    await waitFor('the only connection', () => server.facts.connections, { until: (count) => count === 1 });
    const kept = await Promise.all(Array.from({ length: 100 }, () => open(t, address, { allowHalfOpen: true })));
    const texts = kept.map(textOf);
    for (const socket of kept) socket.write('PING\r\n');
    await waitFor('every reply', () => texts.every((text) => text() !== ''));
    const last = await open(t, address, { allowHalfOpen: true });
    const ended = once(last, 'end');
    const text = textOf(last);
    await ended;
    t.equal(server.facts.refused, 101);
    t.equal(text(), '');
    await server.close();
  },
);

t.test('a client is not idle while the endpoint answers it', async (t) => {
  const limitMs = 500;
  const { address } = await serveView(t, {
    view,
    access: new Access({ operator: { username: 'ops', password: 'secret' } }),
    failOver: () => delay(2 * limitMs),
    over: { idleMs: limitMs, commandMs: limitMs },
  });
  const socket = await open(t, address);
  const text = textOf(socket);
  const closed = once(socket, 'close');
  socket.write('AUTH ops secret\r\nSENTINEL FAILOVER shard1\r\n');
  await closed;
  t.equal(text(), '+OK\r\n+OK\r\n', 'it is closed as idle only afterwards');
});
