import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import t, { type Test } from 'tap';
import { ApiListener } from '../../lib/http/listener.ts';
import { Journal } from '../../lib/telemetry/journal.ts';
import { Certificates } from '../sandbox/certificates.ts';
import { waitFor } from '../sandbox/condition.ts';
import { exampleReport } from '../telemetry/report.ts';
import { listen, serve } from './serve.ts';
import { exampleViews } from './views.ts';

/* How streams of events end, also those of readers that do not read. */

/** More than a socket holds. */
const journal = new Journal({ capacity: 4_000 });
const firstId = journal.lastId;
for (let i = 0; i < 4_000; i += 1) {
  journal.observe(exampleReport({ kind: 'applied', summary: 'x'.repeat(4_000) }, { key: 'shard1' }));
}

/** Asks for every entry, and reads nothing. */
function stall(t: Pick<Test, 'teardown'>, socket: Socket): void {
  t.teardown(() => socket.destroy());
  socket.pause();
  socket.on('error', () => {});
  socket.write(`GET /v1/events?lastEventId=${firstId} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
}

t.test('a reader that does not read the end of its stream is cut off', async (t) => {
  const { server, streams } = serve(t, exampleViews({ journal }), { stallMs: 500 });
  stall(t, connect(await listen(server), '127.0.0.1'));
  await waitFor('the reader', () => streams.size === 1);
  streams.close();
  t.equal(streams.size, 1, 'its socket is full');
  await waitFor('its end', () => streams.size === 0);
});

t.test('a stream that is opened after the end ends at once', async (t) => {
  const { server, streams } = serve(t, exampleViews());
  const port = await listen(server);
  streams.close();
  const request = http.get({ host: '127.0.0.1', port, path: '/v1/events', agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  t.equal(streams.size, 0);
});

t.test('another authority closes the connections of streams that have ended but are not read', async (t) => {
  const folder = t.testdir();
  const [one, two] = [new Certificates(join(folder, 'one')), new Certificates(join(folder, 'two'))];
  const { cert, key } = one.issue('api.test');
  const settings = (ca: string) => ({
    views: exampleViews({ journal }),
    version: '1',
    token: undefined,
    listen: { host: '127.0.0.1', port: 0 },
    onDefect: () => {},
    tls: { cert, key, ca, requestCert: true, rejectUnauthorized: true },
  });
  const listener = new ApiListener(settings(one.ca));
  t.teardown(() => listener.close());
  const port = Number(new URL((await listener.listen()).address).port);
  const raw = connect(port, '127.0.0.1');
  const presented = { ...one.issue('client.test'), rejectUnauthorized: false };
  const socket = connectTls({ socket: raw, ...presented });
  await once(socket, 'secureConnect');
  stall(t, socket);
  await waitFor('the reader', () => listener.eventStreams === 1);
  const connections = () => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
  const before = connections();
  await listener.become(settings(one.ca));
  t.equal(connections(), before, 'it stays with the same authority');
  await listener.become(settings(two.ca));
  await waitFor('the end of its connection', () => connections() < before, { timeoutMs: 5_000 });
});
