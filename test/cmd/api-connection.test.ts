import { createServer } from 'node:http';
import t from 'tap';
import { send } from '../../cmd/api-connection.ts';
import { Sandbox } from '../sandbox/sandbox.ts';

const sandbox = await Sandbox.openFor(t, { name: 'api-connection' });

/** An address of this test alone, at which nobody listens. */
async function closedAddress() {
  const { host, port } = await sandbox.address();
  return { host, port, url: new URL(`http://${host}:${port}/`) };
}

t.test('a request waits for a daemon that listens again', async (t) => {
  const { host, port, url } = await closedAddress();
  const answer = send(url, { api: { api: url.href }, method: 'POST', body: '{}', signal: AbortSignal.timeout(30_000) });
  const server = createServer((request, response) => response.end(request.method));
  t.teardown(() => server.close());
  // The first attempt was made in an earlier turn of the event loop.
  setTimeout(() => server.listen(port, host), 100);
  t.equal(await (await answer).text(), 'POST');
});

t.test('without a daemon it fails: at once on demand, and else with its time limit or after a moment', async (t) => {
  const { url } = await closedAddress();
  const api = { api: url.href };
  const failure = { code: 'api-unreachable', message: /no switchmaster answers .*is it running/ };
  const startMs = performance.now();
  await t.rejects(send(url, { api, signal: AbortSignal.timeout(60_000) }), failure);
  t.ok(performance.now() - startMs >= 2_000);
  await t.rejects(send(url, { api, signal: AbortSignal.timeout(100) }), failure);
  const signal = AbortSignal.timeout(60_000);
  await t.rejects(send(url, { api, signal, refused: 'fail' }), failure);
});
