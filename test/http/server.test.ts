import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import t from 'tap';
import { errorAnswer, mastersAnswer, templateTextAnswer } from '../../lib/http/shapes.ts';
import { parameters } from '../property/parameters.ts';
import { exampleToken, listen, serve } from './serve.ts';
import { exampleMaster, exampleTemplate, exampleViews } from './views.ts';

/** One request that no client library has changed. */
async function send(request: {
  readonly agent: http.Agent;
  readonly port: number;
  readonly method: string;
  readonly path: string;
  readonly type: string;
  readonly payload: string;
}): Promise<{ status: number; body: string }> {
  const { agent, port, method, path, type, payload } = request;
  // Said explicitly: Node sends the body of a DELETE without its length, and so as the beginning of the next request.
  const body = method === 'GET' || method === 'HEAD' ? '' : payload;
  const headers = { 'content-length': Buffer.byteLength(body), ...(type === '' ? {} : { 'content-type': type }) };
  const outgoing = http.request({ agent, host: '127.0.0.1', port, method, path, headers });
  outgoing.end(body);
  const [incoming] = (await once(outgoing, 'response')) as [http.IncomingMessage];
  return { status: incoming.statusCode ?? 0, body: await text(incoming) };
}

t.test('/live answers while the process lives', async (t) => {
  const { server } = serve(t);
  const answer = await server.inject('/live');
  t.equal(answer.statusCode, 200);
  t.match(answer.json(), { live: true, version: '1.2.3', uptimeSeconds: Number });
});

t.test('/ready names what is missing, until nothing is', async (t) => {
  const missing = ['bridge: sentinel 127.0.0.1:26379', 'renderer: template a.cfg'];
  const { server } = serve(t, exampleViews({ readiness: { missing: () => missing } }));
  const before = await server.inject('/ready');
  t.equal(before.statusCode, 503);
  t.strictSame(before.json().error.missing, missing);
  t.match(before.json().error, { code: 'not-ready', message: /sentinel 127\.0\.0\.1:26379; renderer/ });
  missing.length = 0;
  const after = await server.inject('/ready');
  t.equal(after.statusCode, 200);
  t.strictSame(after.json(), { ready: true });
});

t.test('masters are listed and looked up by name, with their last outcome', async (t) => {
  const last = {
    kind: 'applied' as const,
    summary: 'moved',
    at: '2026-01-01T00:00:00.000Z',
    reconcileId: 'abcd1234',
    durationMs: 3,
    failures: 0,
    error: null,
  };
  const master = { ...exampleMaster, name: 'a/b c' };
  const { server } = serve(
    t,
    exampleViews({
      masters: [exampleMaster, master],
      outcomes: { last: (loop, key) => (loop === 'bridge' && key === 'a/b c' ? last : undefined) },
    }),
  );
  const list = await server.inject('/v1/masters');
  t.ok(mastersAnswer.safeParse(list.json()).success);
  t.strictSame(
    list.json().masters.map(({ name }: { name: string }) => name),
    ['shard1', 'a/b c'],
  );
  const one = await server.inject(`/v1/masters/${encodeURIComponent('a/b c')}`);
  t.strictSame(one.json(), { ...master, lastOutcome: last });
  const none = await server.inject('/v1/masters/nobody');
  t.equal(none.statusCode, 404);
  t.strictSame(none.json(), { error: { code: 'not-found', message: 'no master is called "nobody"' } });
});

t.test('a template shows its state and what was rendered', async (t) => {
  const { server } = serve(t, exampleViews({ templates: [exampleTemplate], rendered: 'port 1\n' }));
  const answer = await server.inject('/v1/templates/haproxy.cfg');
  t.ok(templateTextAnswer.safeParse(answer.json()).success);
  t.match(answer.json(), { name: 'haproxy.cfg', rendered: 'port 1\n', lastOutcome: null });
  t.equal((await server.inject('/v1/templates')).json().templates.length, 1);
  t.equal((await server.inject('/v1/templates/none')).statusCode, 404);
});

t.test('every answer forbids browsers to frame, sniff, keep or load anything', async (t) => {
  const { server } = serve(t);
  for (const url of ['/live', '/v1/masters', '/nowhere', '/%zz']) {
    const { headers } = await server.inject(url);
    t.match(headers['content-security-policy'], /default-src 'none'.*frame-ancestors 'none'/, url);
    t.match(headers, { 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' }, url);
    t.notOk('access-control-allow-origin' in headers, url);
  }
});

t.test('a defect is logged, and the client gets no details', async (t) => {
  const broken = () => {
    throw new TypeError('secret inside');
  };
  const { server, defects } = serve(t, exampleViews({ readiness: { missing: broken } }));
  const answer = await server.inject('/ready');
  t.equal(answer.statusCode, 500);
  t.notMatch(answer.body, /secret inside/);
  t.equal(answer.json().error.code, 'internal');
  t.equal(defects.length, 1);
});

t.test('hostile requests get one shape of error and never a 500', async (t) => {
  const { server, defects } = serve(t, exampleViews({ masters: [exampleMaster] }));
  const port = await listen(server);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
  t.teardown(() => agent.destroy());
  const method = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS');
  const segment = fc.oneof(
    fc.constantFrom(
      'v1',
      'masters',
      'templates',
      'live',
      'ready',
      '..',
      '%2e%2e',
      '%00',
      '%',
      '__proto__',
      'constructor',
    ),
    fc.string(),
    fc.string({ unit: 'binary', maxLength: 600 }).map((text) => encodeURIComponent(text.toWellFormed())),
  );
  const path = fc.array(segment, { maxLength: 5 }).map((segments) => `/${segments.join('/')}`);
  const type = fc.constantFrom('application/json', 'text/plain', 'application/xml', '', 'a/b; charset=\u00ff');
  await fc.assert(
    fc.asyncProperty(method, path, type, fc.string({ maxLength: 200 }), async (method, url, type, payload) => {
      const path = url.replace(/[^\u0021-\u00ff]/g, (character) => encodeURIComponent(character.toWellFormed()));
      const answer = await send({ agent, port, method, path, type, payload });
      if (answer.status === 200) return true;
      if (answer.status >= 500) return false;
      return method === 'HEAD' || errorAnswer.safeParse(JSON.parse(answer.body)).success;
    }),
    parameters({ runs: 150 }),
  );
  t.strictSame(defects, []);
});

t.test('what is not HTTP is refused on the wire, in the same shape', async (t) => {
  const { server } = serve(t);
  const port = await listen(server);
  const send = async (text: string): Promise<string> => {
    const socket = net.connect(port, '127.0.0.1');
    socket.end(text);
    let received = '';
    socket.on('data', (chunk) => {
      received += String(chunk);
    });
    socket.on('error', () => {});
    await once(socket, 'close');
    return received;
  };
  t.match(await send('\u0000\u0001garbage\r\n\r\n'), /^HTTP\/1\.1 400[\s\S]*"request-invalid"/);
  t.match(await send(`GET /live HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`), /^HTTP\/1\.1 431/);
  t.match(await send('GET /live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n'), /^HTTP\/1\.1 200/);
});

t.test('a body larger than the limit is refused', async (t) => {
  const { server } = serve(t);
  const payload = JSON.stringify('x'.repeat(100_000));
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${exampleToken}` };
  const answer = await server.inject({ method: 'POST', url: '/v1/masters/shard1/failover', headers, payload });
  t.equal(answer.statusCode, 413);
  t.ok(errorAnswer.safeParse(answer.json()).success);
});
