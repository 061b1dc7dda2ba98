import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type ClientRequest, createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { ConsulClient } from '../../lib/client/consul.ts';
import type { CatalogOperation } from '../../lib/model/catalog.ts';

/* Transactions go to Consul without the `consul` package. What Consul itself answers: test/bridge/apply/record.test.ts. */

const cas: CatalogOperation = { kind: 'kv-cas', key: 'k', value: 'v', index: 7 };
const committed = { Results: [{ KV: { Key: 'k', ModifyIndex: 8 } }, { Node: {} }], Errors: null };

async function serve(t: Test, answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const client = new ConsulClient({ host: '127.0.0.1', port, token: 'secret', datacenter: 'dc 1' });
  t.teardown(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });
  return client;
}

t.test('a transaction has the token, the datacenter and its steps, and uses its connection again', async (t) => {
  const seen: { url: string | undefined; token: unknown; body: unknown; port: number | undefined }[] = [];
  const client = await serve(t, async (request, response) => {
    const chunks = await request.toArray();
    seen.push({
      url: request.url,
      token: request.headers['x-consul-token'],
      body: JSON.parse(Buffer.concat(chunks).toString()),
      port: request.socket.remotePort,
    });
    response.end(JSON.stringify(committed));
  });
  for (const precedence of ['over-watches', 'none'] as const) {
    t.strictSame(await client.transact([cas], { precedence }), { kind: 'committed', indexes: new Map([['k', 8]]) });
  }
  const steps = [{ KV: { Verb: 'cas', Key: 'k', Value: btoa('v'), Index: 7 } }];
  t.match(seen, [
    { url: '/v1/txn?dc=dc%201', token: 'secret', body: steps },
    { url: '/v1/txn?dc=dc%201', port: seen[0]?.port },
  ]);
});

const answers = [
  [409, { Errors: [{ OpIndex: 0, What: 'index is stale' }] }, undefined],
  [409, { Errors: [{ OpIndex: 0, What: 'Permission denied' }] }, 'consul-denied'],
  [403, 'ACL not found', 'consul-denied'],
  [500, 'No cluster leader', 'consul-unavailable'],
  [429, 'rate limit', 'consul-unavailable'],
  [413, 'Request body too large', 'consul-refused'],
  [200, 'no JSON', 'consul-answer-invalid'],
  [200, { Results: [{ KV: { Key: 'k' } }] }, 'consul-answer-invalid'],
] as const;
for (const [status, body, code] of answers) {
  t.test(`status ${status} with ${JSON.stringify(body)} is ${code ?? 'a conflict'}`, async (t) => {
    const client = await serve(t, (_, response) => {
      response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
    });
    if (code === undefined) t.match(await client.transact([cas]), { kind: 'conflict' });
    else await t.rejects(client.transact([cas]), { code });
  });
}

t.test('an answer that breaks off, or does not come in time, is an error', async (t) => {
  const breaking = await serve(t, (_, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('{', () => response.destroy());
  });
  await t.rejects(breaking.transact([cas]), { code: 'consul-unreachable' });
  const silent = await serve(t, () => undefined);
  await t.rejects(silent.transact([cas], { timeoutMs: 20 }), { code: 'consul-unreachable', message: /timed out/ });
  const abort = new AbortController();
  const transaction = silent.transact([cas], { signal: abort.signal });
  abort.abort(new Error('the daemon stops'));
  await t.rejects(transaction, { message: 'the daemon stops' });
});

/** A blocking query that Consul answers before the transaction that ended it. Returns what Node's client parsed first. */
async function raceWithWatch(t: Test, precedence: 'over-watches' | 'none'): Promise<readonly string[]> {
  const parsed: string[] = [];
  const onResponse = (message: unknown): void => {
    const { request } = message as { readonly request: ClientRequest };
    parsed.push(request.path.startsWith('/v1/txn') ? 'transaction' : 'watch');
  };
  subscribe('http.client.response.finish', onResponse);
  const watched = Promise.withResolvers<ServerResponse>();
  const client = await serve(t, async (request, response) => {
    if (!request.url?.startsWith('/v1/txn')) return watched.resolve(response);
    const watch = await watched.promise;
    watch.setHeader('x-consul-index', '9').setHeader('content-type', 'application/json').end('[]');
    response.end(JSON.stringify(committed));
  });
  const watching = client.read({ kind: 'nodes' }, { index: 8n });
  await watched.promise;
  await Promise.all([client.transact([cas], { precedence }), watching]);
  unsubscribe('http.client.response.finish', onResponse);
  return parsed;
}

t.test('a transaction that goes first is answered before the queries that it ends are parsed', async (t) => {
  // A process that stands still for longer than the answers wait parses them first: then the race counts for nothing.
  let parsed = await raceWithWatch(t, 'over-watches');
  for (let again = 0; again < 20 && parsed[0] === 'watch'; again += 1) parsed = await raceWithWatch(t, 'over-watches');
  t.strictSame(parsed, ['transaction', 'watch']);
});

t.test('any other transaction waits for the queries that Consul answers before it', async (t) => {
  t.strictSame(await raceWithWatch(t, 'none'), ['watch', 'transaction']);
});
