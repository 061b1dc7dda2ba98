import http, { type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { ConsulClient } from '../../lib/client/consul.ts';
import type { Limits } from '../../lib/client/consul-options.ts';
import { createSession } from '../../lib/client/consul-sessions.ts';
import type { ConsulConfig } from '../../lib/config/model.ts';
import { ConsulPart } from '../../lib/consul/part.ts';
import { waitFor } from '../sandbox/condition.ts';

const node = { kind: 'node', node: 'held' } as const;
const sharedConnections = 64;
const reservedConnections = 64;

/** A Consul that does not answer reads of one node until `release`, and answers everything else at once. */
async function openSlowConsul(t: Test, host = '127.0.0.1') {
  const held: ServerResponse[] = [];
  const answered: string[] = [];
  const server = http.createServer((request, response) => {
    const { url = '' } = request;
    if (url.includes('/catalog/node')) return void held.push(response);
    answered.push(url);
    response.setHeader('content-type', 'application/json').setHeader('x-consul-index', '7');
    if (url.includes('/txn')) response.end('{"Results":[],"Errors":null}');
    else if (url.includes('/acl/authorize')) response.end('[{"Allow":false}]');
    else if (url.includes('/status/leader')) response.end('"127.0.0.1:8300"');
    else response.end(url.includes('/session') ? '{"ID":"session"}' : '[]');
  });
  server.listen(0, host);
  await new Promise((resolve) => server.once('listening', resolve));
  const address = { host, port: (server.address() as AddressInfo).port };
  const client = new ConsulClient(address);
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
  const release = (count = held.length) => {
    for (const response of held.splice(0, count)) response.setHeader('x-consul-index', '7').end('{}');
  };
  return { address, client, answered, read, fill, release };
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

t.test('failovers that must wait use the connections of both kinds', async (t) => {
  const { client, fill, release } = await openSlowConsul(t);
  await fill(sharedConnections);
  await fill(reservedConnections, { priority: 'failover' });
  const failovers = [1, 2].map(() => client.transact([], { precedence: 'over-watches' }));
  release(sharedConnections);
  t.match(await Promise.any(failovers), { kind: 'committed' });
  release();
  await Promise.all(failovers);
});

t.test('what ACLs hide does not count as absent while all connections are busy', async (t) => {
  const { client, fill, release } = await openSlowConsul(t);
  const readHidden = () => client.read({ kind: 'service', service: 'redis' }, { priority: 'failover' });
  await t.rejects(readHidden(), { code: 'consul-denied' });
  await fill(sharedConnections);
  await t.rejects(readHidden(), { code: 'consul-denied' });
  await fill(reservedConnections, { priority: 'failover' });
  const access = [{ resource: 'service', segment: 'redis' }] as const;
  await t.rejects(client.denied(access), { code: 'consul-unreachable', message: /timed out/ });
  release();
  await t.rejects(readHidden(), { code: 'consul-denied' }, 'asked again at once');
});

t.test('an agent is not reported as silent while the shared connections are busy', async (t) => {
  const { address, answered } = await openSlowConsul(t);
  const config = { ...address, auth: undefined, tls: undefined, connections: 1, maxStaleMs: 0 };
  const part = new ConsulPart(config as unknown as ConsulConfig, { onAgentChange: () => undefined });
  t.teardown(() => part.stop());
  for (let i = 0; i < sharedConnections; i += 1) part.client.read(node, { timeoutMs: 600_000 }).catch(() => undefined);
  part.start();
  await waitFor('the question of the probe', () => answered.includes('/v1/status/leader'));
});

t.test('an agent at an IPv6 address is read and written', async (t) => {
  const { client, answered } = await openSlowConsul(t, '::1');
  t.same((await client.read({ kind: 'datacenters' })).value, []);
  t.match(await client.transact([]), { kind: 'committed' });
  t.equal(answered.length, 2);
});
