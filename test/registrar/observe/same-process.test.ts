import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { InstanceLink } from '../../../lib/client/instance.ts';
import { SameProcess } from '../../../lib/registrar/observe/same-process.ts';
import { waitFor } from '../../sandbox/condition.ts';

/* A run may still be under way when its instance is closed: nothing would close a connection that it opens then. */

let connections = 0;
const server = createServer((socket) => {
  connections += 1;
  socket.on('error', () => {});
}).listen(0, '127.0.0.1');
await once(server, 'listening');
t.teardown(() => server.close());
const address = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };

/** Longer than a connection to this machine takes. */
const settledMs = 300;

t.test('a closed search for an own process opens no connection', async (t) => {
  const closed = new SameProcess({});
  closed.close();
  await closed.prove('id', { addresses: [address], timeoutMs: 100 });
  await delay(settledMs);
  t.equal(connections, 0);
});

t.test('a closed link connects no more, also if its server was away', async (t) => {
  const away = createServer().listen(0, '127.0.0.1');
  await once(away, 'listening');
  const { port } = away.address() as AddressInfo;
  await new Promise((resolve) => away.close(resolve));
  const states: string[] = [];
  const link = new InstanceLink({
    address: { ...address, port },
    access: {},
    onLinkState: (state) => states.push(state),
  });
  await waitFor('a refusal', () => link.request([['PING']], { timeoutMs: 1_000 }).catch(() => true));
  link.close();
  const back = createServer(() => states.push('connected')).listen(port, '127.0.0.1');
  await once(back, 'listening');
  t.teardown(() => back.close());
  await t.rejects(link.request([['PING']], { timeoutMs: 100 }), { code: 'redis-unreachable' });
  await delay(settledMs);
  t.strictSame(states, []);
});
