import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { ConsulClient } from '../../lib/client/consul.ts';
import { ConsulAgentClient } from '../../lib/client/consul-agent.ts';
import { toTxnStep } from '../../lib/client/consul-operations.ts';
import { createSession, setSessionKey } from '../../lib/client/consul-sessions.ts';
import { ConsulPart } from '../../lib/consul/part.ts';
import type { CatalogOperation } from '../../lib/model/catalog.ts';
import { type ConsulScope, serviceDomain } from '../../lib/model/consul-scope.ts';
import { runCommand } from '../cmd/command.ts';
import { waitFor } from '../sandbox/condition.ts';
import { Sandbox } from '../sandbox/sandbox.ts';

/* Namespaces and partitions of Consul Enterprise, at the open-source Consul, and at a server that answers as Enterprise does. */

const signal = new AbortController().signal;
const named = { id: 'x', service: 'x', address: '10.0.0.1', port: 1 };
const set: CatalogOperation = { kind: 'kv-set', key: 'redis/x', value: 'y' };

const scopes: readonly [ConsulScope, RegExp][] = [
  [
    { namespace: 'team', settings: ['consul.namespace'] },
    /Consul refuses consul[.]namespace: .*or remove consul[.]namespace$/,
  ],
  [
    { namespace: 'default', partition: 'east', settings: ['CONSUL_PARTITION'] },
    /Consul refuses CONSUL_PARTITION: .*or unset CONSUL_PARTITION$/,
  ],
];

t.test('the open-source Consul is recognized before anything is written into its default namespace', async (t) => {
  const sandbox = await Sandbox.openFor(t, { name: 'consul-scope' });
  const consul = await sandbox.consul();
  for (const [scope, message] of scopes) {
    const client = new ConsulClient({ ...consul.http, scope });
    t.teardown(() => client.close());
    const agent = new ConsulAgentClient(client);
    const writes: Readonly<Record<string, () => Promise<unknown>>> = {
      transaction: () => client.transact([set]),
      session: () => createSession(client, { name: 'x', ttlMs: 10_000, signal }),
      key: () => setSessionKey(client, { key: 'redis/x', value: {}, session: 'x', signal }),
      service: () => agent.register({ ...named, tags: [], meta: {}, checks: [], settings: undefined }),
      read: () => client.read({ kind: 'key-tree', prefix: 'redis/' }),
    };
    for (const [name, write] of Object.entries(writes))
      await t.rejects(write(), { code: 'consul-refused', message }, name);
    t.strictSame((await consul.get('/v1/kv/?keys').catch(() => undefined)) ?? [], []);
    t.strictSame(await consul.get('/v1/session/list'), []);
    t.strictSame(await consul.get('/v1/agent/services'), {});
  }
  const { host, port } = consul.http;
  const folder = t.testdir({
    'c.yml': `consul: { address: "${host}:${port}", namespace: team }\napi: false\nenvironment: e\n`,
  });
  const online = await runCommand(['check', '--online', '--config', `${folder}/c.yml`]);
  t.match(online, { code: 1, stdout: /Consul refuses consul[.]namespace.*or remove consul[.]namespace/ });
  const doctor = await runCommand(['doctor', '--config', `${folder}/c.yml`]);
  t.match(doctor, { code: 1, stdout: /Consul refuses consul[.]namespace.*or remove consul[.]namespace/ });
});

const inDefault: readonly ConsulScope[] = [
  { namespace: 'default', settings: ['CONSUL_NAMESPACE'] },
  { namespace: 'default', partition: 'default', settings: ['CONSUL_NAMESPACE', 'CONSUL_PARTITION'] },
];

t.test('the default namespace is that of the open-source Consul in every kind of request', async (t) => {
  const sandbox = await Sandbox.openFor(t, { name: 'consul-default-scope' });
  const consul = await sandbox.consul();
  for (const scope of inDefault) {
    const requests: Readonly<Record<string, (client: ConsulClient) => Promise<unknown>>> = {
      transaction: (client) => client.transact([set]),
      session: (client) => createSession(client, { name: 'x', ttlMs: 10_000, signal }),
      reads: (client) =>
        Promise.all([
          client.read({ kind: 'key-tree', prefix: 'redis/' }),
          client.read({ kind: 'key-tree', prefix: 'redis/' }, { index: 1n, waitMs: 1_000 }),
          client.read({ kind: 'services' }),
        ]),
      services: (client) => new ConsulAgentClient(client).services(),
    };
    for (const [name, send] of Object.entries(requests)) {
      const client = new ConsulClient({ ...consul.http, scope });
      t.teardown(() => client.close());
      t.equal(client.scope, scope);
      await t.resolves(send(client), name);
      t.equal(client.scope, undefined);
      t.equal(client.serviceDomain, 'service.consul');
    }
  }
});

/** Answers each request with the status and text for its path. */
async function serve(t: Test, answers: Readonly<Record<string, readonly [number, unknown]>>) {
  const paths: string[] = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://consul');
    paths.push(pathname);
    const [status, body] = answers[pathname] ?? [404, ''];
    request.resume().on('end', () => {
      response.writeHead(status, { 'content-type': typeof body === 'string' ? 'text/plain' : 'application/json' });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const scope: ConsulScope = { namespace: 'team', partition: 'east', settings: ['consul.partition'] };
  const client = new ConsulClient({ host: '127.0.0.1', port, scope });
  t.teardown(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });
  return {
    client,
    paths,
    config: { host: '127.0.0.1', port, secure: false, scope, connections: 8, maxStaleMs: 5_000 },
  };
}

const committed = { Results: [], Errors: null };

t.test('Consul is asked once whether it has them, also if the token may not read', async (t) => {
  for (const status of [404, 403]) {
    const { client, paths } = await serve(t, { '/v1/kv/redis': [status, ''], '/v1/txn': [200, committed] });
    await client.transact([set]);
    await client.transact([set]);
    t.strictSame(paths, ['/v1/kv/redis', '/v1/txn', '/v1/txn', '/v1/txn']);
  }
});

t.test('Consul Enterprise before 1.11, which ignores a partition, is recognized', async (t) => {
  const unknown = 'Failed to parse body: json: unknown field "Partition"';
  const { client } = await serve(t, { '/v1/txn': [400, unknown], '/v1/session/create': [200, { ID: 'x' }] });
  const message = /Consul refuses consul[.]partition: only Consul Enterprise 1[.]11 and later has partitions/;
  await t.rejects(createSession(client, { name: 'x', ttlMs: 10_000, signal }), { code: 'consul-refused', message });
});

t.test('a Consul that cannot be asked is asked again', async (t) => {
  const answers: Record<string, readonly [number, unknown]> = { '/v1/kv/redis': [500, 'No cluster leader'] };
  const { client } = await serve(t, answers);
  await t.rejects(client.transact([set]), { code: 'consul-unavailable' });
  Object.assign(answers, { '/v1/kv/redis': [404, ''], '/v1/txn': [200, committed] });
  t.match(await client.transact([set]), { kind: 'committed' });
});

t.test('a Consul that comes back is asked in the background: the next write is the only request', async (t) => {
  const answers: Record<string, readonly [number, unknown]> = { '/v1/kv/redis': [500, 'No cluster leader'] };
  const { config, paths } = await serve(t, answers);
  const part = new ConsulPart(config, { onAgentChange: () => undefined });
  t.teardown(() => part.stop());
  part.start();
  await waitFor('the first proof', () => paths.includes('/v1/kv/redis'));
  const before = paths.length;
  Object.assign(answers, {
    '/v1/kv/redis': [404, ''],
    '/v1/status/leader': [200, '"10.0.0.1:8300"'],
    '/v1/txn': [200, committed],
  });
  await waitFor('the proof', () => paths.slice(before).includes('/v1/txn') && part.client.isScopeProven);
  paths.length = 0;
  await part.client.transact([set]);
  t.strictSame(
    paths.filter((path) => path !== '/v1/status/leader'),
    ['/v1/txn'],
  );
});

const service = { id: 'i', name: 's', address: '10.0.0.1', port: 1, tags: [], meta: {} };
const check = { id: 'c', serviceId: 'i', serviceName: 's', name: 'c', status: 'passing', output: '' } as const;
/** One of each kind: a new kind that is missing here does not compile. */
const operations: { readonly [Kind in CatalogOperation['kind']]: Extract<CatalogOperation, { readonly kind: Kind }> } =
  {
    'kv-set': { kind: 'kv-set', key: 'k', value: 'v' },
    'kv-cas': { kind: 'kv-cas', key: 'k', value: 'v', index: 1 },
    'kv-lock': { kind: 'kv-lock', key: 'k', value: 'v', session: 's' },
    'kv-check-index': { kind: 'kv-check-index', key: 'k', index: 1 },
    'kv-delete': { kind: 'kv-delete', key: 'k' },
    'kv-delete-cas': { kind: 'kv-delete-cas', key: 'k', index: 1 },
    'node-set': { kind: 'node-set', node: 'n', address: '10.0.0.1', taggedAddresses: {}, meta: {} },
    'node-delete': { kind: 'node-delete', node: 'n' },
    'node-delete-cas': { kind: 'node-delete-cas', node: 'n', index: 1 },
    'service-set': { kind: 'service-set', node: 'n', service },
    'service-delete': { kind: 'service-delete', node: 'n', serviceId: 'i', name: 's' },
    'service-delete-cas': { kind: 'service-delete-cas', node: 'n', serviceId: 'i', name: 's', index: 1 },
    'check-set': { kind: 'check-set', node: 'n', check },
    'check-delete': { kind: 'check-delete', node: 'n', checkId: 'c' },
  };

t.test('each step of a transaction names the namespace and the partition, and a node the partition alone', (t) => {
  const scope: ConsulScope = { namespace: 'team', partition: 'east', settings: [] };
  for (const operation of Object.values(operations)) {
    const step = toTxnStep(operation, scope) as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
    const [[kind, fields] = ['', {}]] = Object.entries(step);
    const named = (kind === 'KV' ? fields : fields[kind]) as Readonly<Record<string, unknown>>;
    const { Namespace, Partition } = named;
    t.strictSame([Namespace, Partition], [kind === 'Node' ? undefined : 'team', 'east'], operation.kind);
    t.notMatch(JSON.stringify(toTxnStep(operation)), /Namespace|Partition/);
  }
  t.end();
});

t.test('names in DNS have both', (t) => {
  t.equal(serviceDomain(undefined), 'service.consul');
  t.equal(serviceDomain({ namespace: 'team', settings: [] }), 'service.team.ns.consul');
  t.equal(serviceDomain({ namespace: 'team', partition: 'east', settings: [] }), 'service.team.ns.east.ap.consul');
  t.end();
});
