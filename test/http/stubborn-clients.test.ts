import { once } from 'node:events';
import type { Server } from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { Certificates } from '../sandbox/certificates.ts';
import { waitFor } from '../sandbox/condition.ts';
import { exampleToken, listen, serve } from './serve.ts';
import { exampleViews } from './views.ts';

/* Clients that neither read nor close: their connections end, so that none locks out the others. */

const host = 'host: localhost\r\n';
const post = `POST /v1/masters/shard1/failover HTTP/1.1\r\n${host}authorization: Bearer ${exampleToken}\r\ncontent-type: application/json\r\n`;

/** Sends the text, then `more` again and again, reads nothing, and closes nothing. */
async function bother(t: Test, given: { port: number; text: string; more?: string }): Promise<void> {
  const socket = net.connect({ port: given.port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  socket.pause();
  await once(socket, 'connect');
  socket.write(given.text);
  const { more } = given;
  const repeating = setInterval(() => more !== undefined && socket.writable && socket.write(more), 50);
  t.teardown(() => {
    clearInterval(repeating);
    socket.destroy();
  });
}

function untilClosed(server: Server): Promise<unknown> {
  return waitFor('no connection is left', async () => {
    const { promise, resolve } = Promise.withResolvers<number>();
    server.getConnections((_error, count) => resolve(count));
    return (await promise) === 0;
  });
}

t.test('a request that never ends is cut off, although its client ignores the answer', async (t) => {
  const { server } = serve(t, exampleViews(), { requestTimeoutMs: 300 });
  const port = await listen(server);
  await Promise.all([
    bother(t, { port, text: '' }),
    bother(t, { port, text: `GET /live HTTP/1.1\r\n${host}`, more: 'x: y\r\n' }),
    bother(t, { port, text: `${post}content-length: 60000\r\n\r\n`, more: ' ' }),
    bother(t, { port, text: `${post}transfer-encoding: chunked\r\n\r\n`, more: '1\r\n \r\n' }),
  ]);
  await untilClosed(server.server);
});

t.test('a client that does not begin or complete its TLS handshake is cut off', async (t) => {
  const { cert, key } = new Certificates(join(t.testdir(), 'ca')).issue('localhost');
  const { server } = serve(t, exampleViews(), { requestTimeoutMs: 300, tls: { cert, key } });
  const port = await listen(server);
  await Promise.all([
    bother(t, { port, text: '' }),
    bother(t, { port, text: '\u0016\u0003\u0001\u0000\u00ff' }),
    bother(t, { port, text: `GET /live HTTP/1.1\r\n${host}\r\n` }),
  ]);
  await untilClosed(server.server);
});

t.test('a client that does not read its answers is cut off', async (t) => {
  const { server } = serve(t, exampleViews(), { answerTimeoutMs: 300 });
  const port = await listen(server);
  const get = `GET /openapi.json HTTP/1.1\r\n${host}\r\n`;
  await Promise.all([bother(t, { port, text: get.repeat(200) }), bother(t, { port, text: get, more: get })]);
  await untilClosed(server.server);
});

t.test('the limit of an answer does not end the work on other requests of the connection', async (t) => {
  const { masterControls } = exampleViews();
  const failOver: typeof masterControls.failOver = async (...given) => {
    await delay(400);
    return masterControls.failOver(...given);
  };
  const slow = exampleViews({ masterControls: { ...masterControls, failOver } });
  const { server } = serve(t, slow, { answerTimeoutMs: 100 });
  const port = await listen(server);
  const get = `GET /live HTTP/1.1\r\n${host}\r\n`;
  const order = `${post}content-length: 2\r\n\r\n{}`;
  const socket = net.connect({ port, host: '127.0.0.1' });
  t.teardown(() => socket.destroy());
  let answers = '';
  socket.setEncoding('utf8').on('data', (text) => {
    answers += text;
  });
  const closed = once(socket, 'close');
  socket.write(get + order + get.replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n'));
  await closed;
  t.strictSame(answers.match(/(?<=HTTP\/1\.1 )\d+/g), ['200', '500', '200']);
});
