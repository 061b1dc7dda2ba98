import http, { type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { ConsulClient } from '../../lib/client/consul.ts';
import type { Limits } from '../../lib/client/consul-options.ts';
import { createSession } from '../../lib/client/consul-sessions.ts';
import { waitFor } from '../sandbox/condition.ts';

const node = { kind: 'node', node: 'held' } as const;
const sharedConnections = 64;
const reservedConnections = 32;

/** A Consul that does not answer reads of one node until `release`, and answers everything else at once. */
async function openSlowConsul(t: Test) {
  const held: ServerResponse[] = [];
  const answered: string[] = [];
  const server = http.createServer((request, response) => {
    const { url = '' } = request;
    if (url.includes('/catalog/node')) return void held.push(response);
    answered.push(url);
    response.setHeader('content-type', 'application/json').setHeader('x-consul-index', '7');
    if (url.includes('/txn')) response.end('{"Results":[],"Errors":null}');
    else response.end(url.includes('/session') ? '{"ID":"session"}' : '[]');
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const client = new ConsulClient({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  t.teardown(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });
  const read = (limits: Limits = {}) => client.read(node, limits);
  /** Makes all connections busy that requests of this priority may have. */
  const fill = async (count: number, limits: Limits = {}) => {
    const before = held.length;
    for (let i = 0; i < count; i += 1) read(limits).catch(() => undefined);
    await waitFor(`${count} requests that Consul does not answer`, () => held.length === before + count);
  };
  const release = () => {
    for (const response of held.splice(0)) response.setHeader('x-consul-index', '7').end('{}');
  };
  return { client, answered, read, fill, release };
}

t.test('what a failover waits for does not wait behind requests that Consul does not answer', async (t) => {
  const { client, answered, fill, release } = await openSlowConsul(t);
  await fill(sharedConnections);
  const waiting = client.transact([]);
  t.match(await client.transact([], { precedence: 'over-watches' }), { kind: 'committed' });
  t.match(await client.transact([], { priority: 'failover' }), { kind: 'committed' });
  const signal = AbortSignal.timeout(10_000);
  t.equal(await createSession(client, { name: 'x', ttlMs: 10_000, signal }), 'session');
  t.same((await client.read({ kind: 'datacenters' }, { priority: 'failover' })).value, []);
  t.equal(answered.length, 4, 'the transaction without priority waits');
  release();
  t.match(await waiting, { kind: 'committed' });
});

t.test('a request that waits for a connection ends in time, with its signal, and Consul never gets it', async (t) => {
  const { client, answered, read, fill, release } = await openSlowConsul(t);
  await fill(sharedConnections);
  await fill(reservedConnections, { priority: 'failover' });
  const abort = new AbortController();
  const { signal } = abort;
  for (const priority of ['normal', 'failover'] as const) {
    const late = { code: 'consul-unreachable', message: /timed out/ };
    await t.rejects(client.transact([], { timeoutMs: 20, priority }), late);
    await t.rejects(read({ timeoutMs: 20, priority }), late);
  }
  const requests: readonly Promise<unknown>[] = [
    client.transact([], { signal }),
    client.transact([], { signal, precedence: 'over-watches' }),
    read({ signal }),
    read({ signal, priority: 'failover' }),
  ];
  abort.abort(new Error('the daemon stops'));
  const reasons = await Promise.all(requests.map((request) => request.catch((reason: unknown) => reason)));
  t.strictSame(reasons, Array(requests.length).fill(signal.reason));
  release();
  t.match(await client.transact([]), { kind: 'committed' });
  t.equal(answered.length, 1);
});
