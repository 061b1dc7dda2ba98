import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import t, { type Test } from 'tap';
import { makeView } from '../../lib/endpoint/plan/view.ts';
import type { EndpointServer } from '../../lib/endpoint/server.ts';
import { serveView } from '../integration/support/serving-endpoint.ts';
import { Certificates } from '../sandbox/certificates.ts';
import { waitFor } from '../sandbox/condition.ts';

const own = { id: '0'.repeat(40), environment: '', transport: 'tcp' } as const;
const catalog = { records: [], masters: [], replicas: [], endpoints: [] };
const view = makeView(catalog, { naming: { environment: undefined }, own, nowMs: 0 });

async function open(t: Pick<Test, 'teardown'>, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

const untilConnected = (server: EndpointServer, count: number) =>
  waitFor(`${count} connections`, () => server.facts.connections, { until: (connections) => connections === count });

t.test('a handshake that begins before another authority does not end after it', async (t) => {
  const folder = t.testdir();
  const [one, two] = [new Certificates(join(folder, 'one')), new Certificates(join(folder, 'two'))];
  const { cert, key } = one.issue('endpoint.test');
  const tls = (ca: string) => ({ cert, key, ca, requestCert: true, rejectUnauthorized: true });
  const { server, address, reload } = await serveView(t, { view, over: { tls: tls(one.ca) } });
  const presented = { ...one.issue('client.test'), rejectUnauthorized: false };
  const raw = await open(t, address.port);
  const other = connectTls({ ...address, ...presented });
  other.on('error', () => {});
  t.teardown(() => other.destroy());
  // The server accepts connections in their order.
  await untilConnected(server, 1);
  t.equal(reload(), true);
  t.equal(raw.readyState, 'open', 'it stays with the same authority');
  const socket = connectTls({ socket: raw, ...presented });
  const ended = new Promise((resolve) => {
    socket.on('error', resolve);
    socket.on('data', resolve);
  });
  t.equal(reload({ tls: tls(two.ca) }), true);
  socket.write('PING\r\n');
  t.match(await ended, { code: 'ECONNRESET' });
  t.equal(server.facts.connections, 0);
});

t.test('reloads do not prolong the time for a first command', async (t) => {
  const commandMs = 400;
  const { server, address, reload } = await serveView(t, { view, over: { commandMs } });
  const silent = await open(t, address.port);
  await untilConnected(server, 1);
  const reloading = setInterval(reload, commandMs / 8);
  t.teardown(() => clearInterval(reloading));
  await once(silent, 'close');
});

t.test('a silent connection gets no further listeners in many reloads, and then its answer', async (t) => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => void warnings.push(warning);
  process.on('warning', onWarning);
  t.teardown(() => process.off('warning', onWarning));
  const { server, address, reload } = await serveView(t, { view });
  const silent = await open(t, address.port);
  await untilConnected(server, 1);
  for (let n = 0; n < 20; n += 1) reload();
  silent.write('PING\r\n');
  const [answer] = await once(silent, 'data');
  t.equal(String(answer), '+PONG\r\n');
  t.strictSame(warnings, [], 'Node warns of more than ten listeners for one event');
});

t.test('a connection that has sent something is closed, and a silent one stays', async (t) => {
  const { server, address, reload } = await serveView(t, { view });
  const [spoken, silent] = await Promise.all([open(t, address.port), open(t, address.port)]);
  await untilConnected(server, 2);
  spoken.write('PING\r\n');
  await once(spoken, 'data');
  const closed = once(spoken, 'close');
  t.equal(reload(), true);
  await closed;
  silent.write('PING\r\n');
  t.equal(String((await once(silent, 'data'))[0]), '+PONG\r\n');
});

t.test('certificates that TLS cannot use change nothing, and do not hold up the end', async (t) => {
  const { cert, key } = new Certificates(join(t.testdir(), 'ca')).issue('endpoint.test');
  const { server, address, reload } = await serveView(t, { view, over: { tls: { cert, key } } });
  const socket = connectTls({ ...address, rejectUnauthorized: false });
  t.teardown(() => socket.destroy());
  await untilConnected(server, 1);
  t.throws(() => reload({ tls: { cert, key: 'none' } }));
  socket.write('PING\r\n');
  t.equal(String((await once(socket, 'data'))[0]), '+PONG\r\n');
  const closed = once(socket, 'close');
  await server.close();
  await closed;
});
