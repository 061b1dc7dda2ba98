import { once } from 'node:events';
import net from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import { parameters } from '../property/parameters.ts';
import { exampleToken, listen, serve } from './serve.ts';
import { exampleViews } from './views.ts';

/* Bytes on a socket: each answer has the security headers, and none is a defect. */

/** Sends the parts one after the other, and returns what came until the end. */
async function exchange(port: number, parts: readonly (string | Buffer)[]): Promise<string> {
  const socket = net.connect(port, '127.0.0.1');
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  for (const part of parts) if (socket.writable) socket.write(part);
  await closed;
  return received;
}

const { server, defects } = serve(t, exampleViews(), { requestTimeoutMs: 1_000 });
const port = await listen(server);

const method = fc.constantFrom(
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'PATCH',
  'PROPFIND',
  'get',
  'G\u0000T',
  '',
);
const path = fc.oneof(
  fc.constantFrom(
    '/',
    '/live',
    '/v1/masters/shard1',
    '/v1/masters/shard1/failover',
    '/v1/templates/app.json/render',
    '/check/master?address=10.0.0.1:6379',
    '/check/replica?maxLag=1e999',
    '/v1/masters/%00',
    '/v1/masters/%ff',
    '/v1/masters/..%2f..',
    '/v1/history?limit=-1',
    '//v1//masters',
    '/\u00e9',
    '*',
    'http://other/live',
    '',
  ),
  fc.webPath(),
  fc.string({ maxLength: 40 }).map((text) => `/${text}`),
);
const header = fc.oneof(
  fc.constantFrom(
    'host: localhost',
    'host: evil.example',
    'host: a, b',
    'content-length: 5',
    'content-length: -1',
    'content-length: 5, 6',
    'transfer-encoding: chunked',
    'transfer-encoding: gzip, chunked',
    'content-type: application/json',
    'content-type: text/plain',
    'content-type: ;;;',
    `authorization: Bearer ${exampleToken}`,
    'authorization: Basic \u00ff',
    'origin: null',
    'expect: 100-continue',
    'expect: x',
    'connection: upgrade',
    'upgrade: websocket',
    'upgrade: h2c',
    ': empty',
    'no colon',
    ' folded: x',
  ),
  fc.string({ maxLength: 30 }).map((value) => `x-any: ${value}`),
);
const body = fc.oneof(
  fc.constantFrom('', '{}', '{"a":', '[]', '5\r\nhello\r\n0\r\n\r\n', 'zz\r\n', '"__proto__"'),
  fc.string(),
);
const version = fc.constantFrom('HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/1.1 ', 'XTTP/1.1', '');
const request = fc
  .record({ method, path, version, headers: fc.array(header, { maxLength: 6 }), body })
  .map(({ method, path, version, headers, body }) => {
    const lines = [`${method} ${path} ${version}`, 'connection: close', ...headers, '', body];
    return Buffer.from(lines.join('\r\n'), 'latin1');
  });

t.test('any request is answered or cut off, and no answer is a defect', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof({ weight: 9, arbitrary: request }, { weight: 1, arbitrary: fc.uint8Array() }),
      async (bytes) => {
        const answer = await exchange(port, [Buffer.from(bytes)]);
        if (answer === '') return;
        const [head = ''] = answer.split('\r\n\r\n');
        const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(head) ?? [];
        if (status === undefined || Number(status) >= 500) throw new Error(`status ${status}: ${answer.slice(0, 300)}`);
        if (status !== '100' && !/\r\nx-content-type-options: nosniff\r\n/i.test(`${head}\r\n`)) throw new Error(head);
      },
    ),
    parameters({ runs: 30 }),
  );
  t.strictSame(defects, []);
  t.match(
    await exchange(port, ['GET /live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n']),
    /^HTTP\/1\.1 200 /,
  );
});

t.test('every refusal has the security headers', async (t) => {
  const known = (line: string, more = '') => `${line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n${more}\r\n`;
  for (const [status, text] of [
    [404, known('GET /nowhere')],
    [404, known('DELETE /v1/masters')],
    [404, known('OPTIONS /v1/masters')],
    [401, known('POST /v1/masters/shard1/failover', 'content-length: 0\r\n')],
    [
      413,
      known(
        'POST /v1/masters/shard1/failover',
        `authorization: Bearer ${exampleToken}\r\ncontent-type: application/json\r\ncontent-length: 99999999\r\n`,
      ),
    ],
    [400, known('GET /v1/masters/%ff')],
    [404, known(`GET /v1/masters/${'a'.repeat(600)}`)],
    [403, 'GET /v1/masters HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n'],
  ] as const) {
    const answer = await exchange(port, [text]);
    const what = text.slice(0, 40);
    t.match(answer, new RegExp(`^HTTP/1.1 ${status} `), what);
    t.match(answer, /content-security-policy: default-src 'none'/, what);
  }
});

t.test('a request that does not end holds its connection only for a moment, also with the token', async (t) => {
  const post = `POST /v1/masters/shard1/failover HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${exampleToken}\r\ncontent-type: application/json\r\n`;
  const slow: Readonly<Record<string, readonly string[]>> = {
    'nothing at all': [],
    'half a line': ['GET /li'],
    'headers without an end': ['GET /live HTTP/1.1\r\nhost: localhost\r\nx: '],
    'a body without an end': [`${post}content-length: 100\r\n\r\n`, '{'],
    'chunks without an end': [`${post}transfer-encoding: chunked\r\n\r\n`, '1\r\n{\r\n'],
    'a second request that does not end': ['GET /live HTTP/1.1\r\nhost: localhost\r\n\r\n', 'GET /li'],
  };
  const started = performance.now();
  await Promise.all(Object.values(slow).map((parts) => exchange(port, parts)));
  t.ok(performance.now() - started < 20_000, 'well before the keep-alive of 30 s and the 75 s of before');
});
