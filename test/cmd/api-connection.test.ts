import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { send } from '../../cmd/api-connection.ts';

/** A port on which nobody listens until a server does. */
async function closedPort(t: Test) {
  const server = createServer((request, response) => response.end(request.method));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  t.teardown(() => server.close());
  return { url: new URL(`http://127.0.0.1:${port}/`), open: () => server.listen(port, '127.0.0.1') };
}

t.test('a request waits for a daemon that listens again', async (t) => {
  const { url, open } = await closedPort(t);
  const api = { api: url.href };
  const answer = send(url, { api, method: 'POST', body: '{}', signal: AbortSignal.timeout(10_000) });
  setTimeout(open, 200);
  t.equal(await (await answer).text(), 'POST');
});

t.test('without a daemon it fails: after a moment, at once on demand, or with its time limit', async (t) => {
  const { url } = await closedPort(t);
  const api = { api: url.href };
  const failure = { code: 'api-unreachable', message: /no switchmaster answers .*is it running/ };
  const signal = AbortSignal.timeout(60_000);
  const startMs = performance.now();
  await t.rejects(send(url, { api, signal, refused: 'fail' }), failure);
  const onceMs = performance.now() - startMs;
  await t.rejects(send(url, { api, signal: AbortSignal.timeout(100) }), failure);
  await t.rejects(send(url, { api, signal }), failure);
  t.ok(onceMs < 2_000, `${onceMs} ms`);
});
