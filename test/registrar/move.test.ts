import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { ConsulClient } from '../../lib/client/consul.ts';
import { CatalogWatches } from '../../lib/consul/watches.ts';
import type { ConsulScope } from '../../lib/model/consul-scope.ts';
import { registrarMeta } from '../../lib/model/instance.ts';
import { RegistrarPart } from '../../lib/registrar/part.ts';
import { planMove } from '../../lib/registrar/plan/registration.ts';

/* A reload with another namespace or partition, at a server that answers as Consul Enterprise does. */

const scope = (namespace: string, partition?: string): ConsulScope => ({
  ...{ namespace, settings: [] },
  ...(partition === undefined ? {} : { partition }),
});
const settings = { tagsFrom: 'agent', weights: undefined, taggedAddresses: {}, connect: undefined } as const;
const base = { id: 'i', service: 's', address: '', port: 1, tags: [], checks: [], settings };
const held = (namespace?: string, partition?: string) => ({
  ...{ ...base, meta: { [registrarMeta]: 'default' }, scope: { namespace, partition } },
});

t.test('what is registered outside of the next namespace or partition is deregistered', async (t) => {
  const rows: readonly (readonly [
    ReturnType<typeof held>,
    ConsulScope | undefined,
    ConsulScope | undefined,
    boolean,
  ])[] = [
    [held('team'), scope('team'), scope('other'), true],
    [held(), scope('team'), scope('other'), true],
    [held('team'), scope('team'), undefined, true],
    [held('team', 'default'), scope('team'), scope('team', 'east'), true],
    [held('team', 'east'), scope('team', 'east'), scope('team', 'west'), true],
    [held('default'), undefined, scope('team'), true],
    [held('default'), scope('default'), undefined, false],
    [held(), scope('default'), undefined, false],
    [held('default', 'east'), scope('default', 'east'), undefined, false],
    // The token's namespace was the one that the config names now.
    [held('team'), undefined, scope('team'), false],
    [held('team', 'default'), undefined, scope('team', 'default'), false],
    // The open-source Consul has no other namespace.
    [held(), undefined, scope('default'), false],
    [held(), undefined, scope('team'), false],
  ];
  for (const [service, before, next, isRemoved] of rows) {
    const removed = planMove([service], { before, next, registrar: 'default' });
    t.strictSame(removed, isRemoved ? ['i'] : [], JSON.stringify([service.scope, before, next]));
    t.strictSame(planMove([{ ...service, meta: {} }], { before, next, registrar: 'default' }), [], 'of others');
  }
});

/** A client in this namespace of a server that answers so. */
async function connect(t: Test, within: ConsulScope, answer: RequestListener) {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const client = new ConsulClient({ host: '127.0.0.1', port, scope: within });
  const watches = new CatalogWatches({ client });
  t.teardown(async () => {
    await watches.close();
    client.close();
    server.closeAllConnections();
    server.close();
  });
  return { client, watches };
}

t.test('a reload with another namespace removes the registrations from the former one', async (t) => {
  const deregistered: unknown[] = [];
  const { client, watches } = await connect(t, scope('team'), (request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://consul');
    const answers: Readonly<Record<string, unknown>> = {
      '/v1/agent/services': {
        r: { ID: 'r', Service: 'redis', Address: '', Namespace: 'team', Meta: { [registrarMeta]: 'default' } },
        o: { ID: 'o', Service: 'other', Address: '', Namespace: 'team', Meta: {} },
      },
      '/v1/agent/checks': {},
      '/v1/agent/service/deregister/r': '',
    };
    const body = answers[pathname];
    if (pathname.includes('deregister')) deregistered.push([pathname, request.headers['x-consul-namespace']]);
    request.resume().on('end', () => {
      response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' });
      response.end(body === undefined ? '' : JSON.stringify(body));
    });
  });
  let next = scope('team');
  const reload = async () => {
    const naming = { environment: undefined };
    const given = { client, watches, naming, instances: [], discoveries: [], onReport: () => undefined };
    const part = new RegistrarPart({ ...given, wantedScope: () => next });
    part.start();
    await part.stop({ graceMs: 1_000, cause: 'reload' });
  };
  await reload();
  t.strictSame(deregistered, []);
  next = scope('other');
  await reload();
  t.strictSame(deregistered, [['/v1/agent/service/deregister/r', 'team']]);
});

t.test('a reload that keeps the namespace default of the open-source Consul reads nothing', async (t) => {
  const paths: (string | undefined)[] = [];
  const { client, watches } = await connect(t, scope('default'), ({ url, headers }, response) => {
    paths.push(url);
    const isRefused = headers['x-consul-namespace'] !== undefined;
    response.writeHead(isRefused ? 400 : 200, { 'content-type': isRefused ? 'text/plain' : 'application/json' });
    response.end(isRefused ? 'Invalid header: "X-Consul-Namespace"' : '{}');
  });
  await client.send({ method: 'get', path: '/agent/services', what: 'services' });
  t.equal(client.scope, undefined);
  const given = { client, watches, naming: { environment: undefined }, instances: [], discoveries: [] };
  const part = new RegistrarPart({ ...given, onReport: () => undefined, wantedScope: () => scope('default') });
  paths.length = 0;
  await part.stop({ graceMs: 1_000, cause: 'reload' });
  t.strictSame(paths, []);
});
