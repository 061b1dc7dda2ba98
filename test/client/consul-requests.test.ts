import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { ConsulClient } from '../../lib/client/consul.ts';
import { ConsulAgentClient } from '../../lib/client/consul-agent.ts';
import { readIndexedNode } from '../../lib/client/consul-node.ts';
import { createSession, destroySession, renewSession, setSessionKey } from '../../lib/client/consul-sessions.ts';
import type { CatalogOperation } from '../../lib/model/catalog.ts';
import type { ConsulScope } from '../../lib/model/consul-scope.ts';
import type { ConsulQuery } from '../../lib/model/query.ts';
import { waitFor } from '../sandbox/condition.ts';

const signal = new AbortController().signal;
const named = { id: 'x', service: 'x', address: '10.0.0.1', port: 1 };
/** `user:pass` */
const basic = 'Basic dXNlcjpwYXNz';

/** A server that notes each request and answers as Consul does. */
async function openConsul(t: Test, scope?: ConsulScope) {
  const requests: {
    path: string;
    query: URLSearchParams;
    token: unknown;
    auth: string | undefined;
    scope: readonly unknown[];
    body: string;
  }[] = [];
  const answerOf = ({ method, url = '' }: IncomingMessage) => {
    if (url.includes('/acl/authorize')) return [{ Allow: true }];
    if (url.includes('/session/create')) return { ID: 'session' };
    if (url.includes('/txn')) return { Results: [] };
    if (method === 'PUT') return true;
    return /catalog\/(services|node\/)|agent/.test(url) ? {} : [];
  };
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://consul');
    const { authorization: auth, 'x-consul-token': token } = request.headers;
    const noted = { path: pathname, query: searchParams, token, auth, body: '', scope: scopeOf(request) };
    requests.push(noted);
    response.setHeader('content-type', 'application/json').setHeader('x-consul-index', '7');
    request.on('data', (chunk) => {
      noted.body += chunk;
    });
    request.on('end', () => response.end(JSON.stringify(answerOf(request))));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const client = new ConsulClient({
    ...{ host: '127.0.0.1', port, token: 'secret', auth: 'user:pass', datacenter: 'dc2' },
    ...(scope === undefined ? {} : { scope }),
  });
  t.teardown(() => {
    client.close();
    server.close();
  });
  return { client, requests };
}

const scopeOf = ({ headers }: IncomingMessage) => [headers['x-consul-namespace'], headers['x-consul-partition']];

/** One query of each kind: a new kind that is missing here does not compile. */
const byKind: { readonly [Kind in ConsulQuery['kind']]: Extract<ConsulQuery, { readonly kind: Kind }> } = {
  key: { kind: 'key', key: 'a' },
  'key-tree': { kind: 'key-tree', prefix: 'a/' },
  service: { kind: 'service', service: 'web' },
  services: { kind: 'services' },
  node: { kind: 'node', node: 'n' },
  nodes: { kind: 'nodes' },
  health: { kind: 'health' },
  datacenters: { kind: 'datacenters' },
  connect: { kind: 'connect', service: 'web' },
  'agent-node': { kind: 'agent-node' },
  'ca-roots': { kind: 'ca-roots' },
  'ca-leaf': { kind: 'ca-leaf', service: 'web' },
  peerings: { kind: 'peerings' },
};
const queries = Object.values(byKind);

t.test('the token, the datacenter and the consistency go with every read', async (t) => {
  const { client, requests } = await openConsul(t);
  for (const consistency of ['stale', 'consistent'] as const) {
    for (const query of queries)
      await client.read(query, { consistency, index: 3n, waitMs: 1_000 }).catch(() => undefined);
  }
  const reads = requests.filter(({ path }) => !path.includes('/acl/'));
  t.equal(reads.length, 2 * queries.length);
  for (const [i, { path, query, token }] of reads.entries()) {
    const consistency = i < queries.length ? 'stale' : 'consistent';
    const seen = { token, dc: query.get('dc'), index: query.get('index'), wait: query.get('wait') };
    t.same(seen, { token: 'secret', dc: 'dc2', index: '3', wait: '1000ms' }, path);
    t.ok(query.has(consistency), `${path} is ${consistency}`);
  }
});

t.test("a query's own datacenter goes first, also for what the token may read", async (t) => {
  const { client, requests } = await openConsul(t);
  for (const query of queries) await client.read({ ...query, dc: 'dc3' } as ConsulQuery).catch(() => undefined);
  t.ok(requests.some(({ path }) => path.includes('/acl/authorize')));
  for (const { path, query, token, auth } of requests)
    t.same([query.get('dc'), token, auth], ['dc3', 'secret', basic], path);
});

t.test('the token and the datacenter go with every write', async (t) => {
  const { client, requests } = await openConsul(t);
  await client.transact([{ kind: 'kv-set', key: 'a', value: 'b' }]);
  await createSession(client, { name: 'x', ttlMs: 10_000, signal });
  await renewSession(client, 'session', signal);
  await destroySession(client, 'session', signal);
  await setSessionKey(client, { key: 'a', value: {}, session: 'session', signal });
  t.equal(requests.length, 5);
  for (const { path, query, token, auth } of requests)
    t.same([query.get('dc'), token, auth], ['dc2', 'secret', basic], path);
});

t.test("the agent's own API takes the token and no datacenter", async (t) => {
  const { client, requests } = await openConsul(t);
  const agent = new ConsulAgentClient(client);
  await agent.services();
  await agent.deregister('x');
  await agent.report('x', { status: 'passing', output: '' });
  for (const { path, query, token, auth } of requests)
    t.same([query.get('dc'), token, auth], [null, 'secret', basic], path);
});

t.test('many transactions at once leave connections to the other programs of the node', async (t) => {
  const waiting: (() => void)[] = [];
  const server = createServer((request, response) => {
    const end = () => response.setHeader('content-type', 'application/json').end('{"Results":[]}');
    request.resume().on('end', () => waiting.push(end));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = new ConsulClient({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  t.teardown(() => {
    client.close();
    server.close();
  });
  const openConnections = () => promisify(server.getConnections.bind(server))();
  const step: CatalogOperation = { kind: 'kv-set', key: 'a', value: 'b' };
  const transactions = Promise.all(Array.from({ length: 300 }, () => client.transact([step])));
  await waitFor('the first transactions', () => waiting.length, { until: (count) => count >= 64 });
  t.equal(await openConnections(), 64);
  const answering = setInterval(() => {
    for (const end of waiting.splice(0)) end();
  }, 1);
  t.equal((await transactions).length, 300);
  clearInterval(answering);
  await waitFor('most connections to be closed', openConnections, { until: (count) => count <= 8 });
});

const scopes: readonly [ConsulScope | undefined, readonly unknown[]][] = [
  [undefined, [undefined, undefined]],
  [{ namespace: 'team', settings: [] }, ['team', undefined]],
  [{ namespace: 'default', partition: 'east', settings: [] }, ['default', 'east']],
];
for (const [scope, sent] of scopes) {
  t.test(`${JSON.stringify(scope)} goes with every request`, async (t) => {
    const { client, requests } = await openConsul(t, scope);
    for (const query of queries)
      for (const index of [undefined, 3n])
        await client.read(query, index === undefined ? {} : { index, waitMs: 1_000 }).catch(() => undefined);
    await client.transact([{ kind: 'kv-set', key: 'a', value: 'b' }]);
    await createSession(client, { name: 'x', ttlMs: 10_000, signal });
    await renewSession(client, 'session', signal);
    await destroySession(client, 'session', signal);
    await setSessionKey(client, { key: 'a', value: {}, session: 'session', signal });
    const agent = new ConsulAgentClient(client);
    await agent.services();
    await agent.register({ ...named, tags: [], meta: {}, checks: [], settings: undefined });
    await agent.deregister('x');
    await agent.report('x', { status: 'passing', output: '' });
    await readIndexedNode(client, { node: 'n', timeoutMs: 1_000 }).catch(() => undefined);
    t.ok(requests.length > 30);
    for (const request of requests) t.strictSame(request.scope, sent, request.path);
    const entries = requests.filter(({ path }) => path.includes('/acl/authorize') || path.endsWith('/txn'));
    t.ok(entries.length > 1);
    const [Namespace, Partition] = sent;
    for (const { body, path } of entries)
      for (const entry of JSON.parse(body))
        t.match(entry.KV ?? entry, JSON.parse(JSON.stringify({ Namespace, Partition })), path);
    if (scope === undefined) t.notOk(requests.some(({ body }) => /Namespace|Partition/.test(body)));
  });
}
