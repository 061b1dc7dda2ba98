import { once } from 'node:events';
import net from 'node:net';
import { hostname } from 'node:os';
import t, { type Test } from 'tap';
import { errorAnswer } from '../../lib/http/shapes.ts';
import { exampleToken, listen, serve } from './serve.ts';
import { exampleViews } from './views.ts';

/* Requests that a web page of another site can make a browser send, and data that never becomes a request. */

const order = { method: 'POST', url: '/v1/templates/a/render' } as const;
const authorization = `Bearer ${exampleToken}`;

/** Whether the API serves a reading and a changing request with these headers. */
async function tryBoth(t: Test, headers: Record<string, string>): Promise<readonly [number, number]> {
  const { server } = serve(t, exampleViews(), {
    hosts: { listenHost: 'api.internal', allowedHosts: ['lb.example.com'] },
  });
  const read = await server.inject({ url: '/v1/masters', headers });
  const changed = await server.inject({ ...order, headers: { ...headers, authorization } });
  for (const answer of [read, changed]) {
    if (answer.statusCode === 403) t.equal(answer.json().error.code, 'request-foreign');
    t.match(answer.headers['x-content-type-options'], 'nosniff');
  }
  return [read.statusCode, changed.statusCode];
}

t.test('without TLS, only names of this API are served', async (t) => {
  const known = [
    'localhost',
    'LOCALHOST:8680',
    'localhost.',
    '127.0.0.1:8680',
    '127.9.9.9',
    '[::1]:8680',
    '10.0.0.5:8680',
  ];
  for (const host of [...known, 'api.internal:1', 'LB.example.com:8680', hostname()]) {
    t.strictSame(await tryBoth(t, { host }), [200, 202], host);
  }
  const foreign = ['evil.example', 'evil.example:8680', 'localhost.evil.example', '127.0.0.1.evil.example', 'evil'];
  for (const host of [...foreign, '127.0.0.1@evil.example', 'x.lb.example.com']) {
    t.strictSame(await tryBoth(t, { host }), [403, 403], host);
  }
});

t.test('a request has one host, and that of its target counts', async (t) => {
  const { server } = serve(t);
  const port = await listen(server);
  const statusOf = async (target: string, ...headers: readonly string[]) => {
    const lines = [`GET ${target} HTTP/1.1`, ...headers, 'Connection: close', '', ''];
    return (await exchange(port, lines.join('\r\n'))).slice(9, 12);
  };
  t.equal(await statusOf('/live', 'Host: localhost'), '200');
  t.equal(await statusOf('/live', 'Host: localhost', 'Host: evil.example'), '400');
  t.equal(await statusOf('/live', 'host: localhost', 'HOST: localhost'), '400');
  t.equal(await statusOf('/live'), '400');
  t.equal(await statusOf('http://localhost/live', 'Host: evil.example'), '200');
  for (const target of [
    'http://evil.example/live',
    'HTTPS://evil.example:8680/live',
    'http://localhost@evil.example/live',
  ])
    t.equal(await statusOf(target, 'Host: localhost'), '403', target);
});

t.test('a page of another site neither reads nor changes', async (t) => {
  const host = '127.0.0.1:8680';
  const same = { host, origin: 'http://127.0.0.1:8680', 'sec-fetch-site': 'same-origin' };
  t.strictSame(await tryBoth(t, same), [200, 202]);
  t.strictSame(await tryBoth(t, { host, 'sec-fetch-site': 'none' }), [200, 202], 'typed by the user');
  t.strictSame(await tryBoth(t, { host, origin: 'https://lb.example.com' }), [200, 202], 'behind a proxy');
  for (const origin of ['http://evil.example', 'null', 'http://127.0.0.1:3000', 'http://localhost:8680', '']) {
    t.strictSame(await tryBoth(t, { host, origin }), [403, 403], origin);
  }
  const listening = { host: 'api.internal:8680' };
  t.strictSame(
    await tryBoth(t, { ...listening, origin: 'https://api.internal' }),
    [200, 202],
    'a proxy on the machine',
  );
  t.strictSame(await tryBoth(t, { ...listening, origin: 'http://api.internal:3000' }), [403, 403], 'another port');
  t.strictSame(await tryBoth(t, { host, origin: 'https://lb.example.com:8443' }), [200, 202], 'an allowed host');
  for (const site of ['cross-site', 'same-site', 'whatever']) {
    t.strictSame(await tryBoth(t, { host, 'sec-fetch-site': site }), [403, 403], site);
  }
  const link = { host, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
  t.strictSame(await tryBoth(t, { ...link, 'sec-fetch-dest': 'document' }), [200, 403], 'a link that a user follows');
  t.strictSame(await tryBoth(t, { ...link, 'sec-fetch-dest': 'iframe' }), [403, 403], 'a frame');
});

async function exchange(port: number, text: string): Promise<string> {
  const socket = net.connect(port, '127.0.0.1');
  socket.write(text);
  let received = '';
  socket.on('data', (chunk) => {
    received += String(chunk);
  });
  await once(socket, 'close');
  return received;
}

t.test('what Node refuses itself has the security headers and the shape of an error', async (t) => {
  const { server } = serve(t, exampleViews(), { requestTimeoutMs: 1_000 });
  const port = await listen(server);
  const post = `POST ${order.url} HTTP/1.1\r\nhost: localhost\r\nauthorization: ${authorization}\r\n`;
  const requests = {
    400: '\u0000\u0001rubbish\r\n\r\n',
    '400 ': 'GET /live HTTP/1.1\r\nconnection: close\r\n\r\n',
    417: 'GET /live HTTP/1.1\r\nhost: localhost\r\nexpect: miracles\r\n\r\n',
    431: `GET /live HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`,
    408: `${post}content-length: 100\r\ncontent-type: application/json\r\n\r\n{`,
    '408 ': 'GET /live HTTP/1.1\r\nhost: loc',
  };
  for (const [status, text] of Object.entries(requests)) {
    const answer = await exchange(port, text);
    t.match(answer, new RegExp(`^HTTP/1.1 ${status.trim()} `), status);
    t.match(answer, /content-security-policy: default-src 'none'/, status);
    t.match(answer, /x-content-type-options: nosniff/, status);
    t.ok(errorAnswer.safeParse(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).success, status);
  }
  t.match(await exchange(port, 'GET /live HTTP/1.0\r\n\r\n'), /^HTTP\/1.1 200/, 'a load balancer without Host');
});
