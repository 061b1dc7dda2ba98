import t from 'tap';
import { ConsulClient } from '../../../lib/client/consul.ts';
import type { ReadOptions } from '../../../lib/client/consul-options.ts';
import { PooledReader } from '../../../lib/consul/pooled-reader.ts';
import { CatalogWatches, type Follow } from '../../../lib/consul/watches.ts';
import type { ConsulQuery } from '../../../lib/model/query.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';

// A busy machine takes its time.
t.setTimeout(240_000);
/** `npm run test:many-masters`: a thousand. */
const servicesCount = Number(process.env.SERVICES ?? 300);
const sandbox = await Sandbox.openFor(t, { name: 'services' });

t.test('many watched services fit into a hundred connections, and cost no polling', async (t) => {
  const consul = await sandbox.consul({ config: { limits: { http_max_conns_per_client: 100 } } });
  const names = Array.from({ length: servicesCount }, (_, i) => `s${i}`);
  const register = (services: readonly string[], port: number) =>
    consul.put('/v1/txn', [
      { Node: { Verb: 'set', Node: { Node: 'external', Address: '10.0.0.1' } } },
      ...services.map((name) => ({
        Service: {
          Verb: 'set',
          Node: 'external',
          Service: { ID: name, Service: name, Address: '10.0.0.1', Port: port },
        },
      })),
    ]);
  for (let i = 0; i < names.length; i += 60) await register(names.slice(i, i + 60), 1);
  const client = new ConsulClient({ ...consul.http });
  const reads = new Map<string, number>();
  let notifications = 0;
  const counting = {
    async read(query: ConsulQuery, options: ReadOptions) {
      if (query.kind === 'service') reads.set(query.service, (reads.get(query.service) ?? 0) + 1);
      const answer = await client.read(query, options);
      if (query.kind !== 'service') notifications += 1;
      return answer;
    },
  };
  const watches = new CatalogWatches({ client: new PooledReader(counting, { ownConnections: 64 }) });
  t.teardown(async () => {
    await watches.close();
    client.close();
  });
  let changes = 0;
  const late = servicesCount - 5;
  const follows = names.map((service) => watches.follow({ kind: 'service', service }, () => (changes += 1)));
  const portOf = ({ state }: Follow<{ kind: 'service'; service: string }>) =>
    state.kind === 'current' ? state.value[0]?.port : undefined;
  const untilAll = (expected: (i: number) => number) =>
    waitFor('every service', () => follows.filter((follow, i) => portOf(follow) === expected(i)).length, {
      until: (count) => count === names.length,
      timeoutMs: 60_000,
    });
  await untilAll(() => 1);
  t.equal(changes, servicesCount);
  // Each round ends with a sweep over all services that share a connection, half a second after the last one at the least.
  for (const port of [2, 3, 4]) {
    await register(['s5', `s${late}`], port);
    await untilAll((i) => (i === 5 || i === late ? port : 1));
  }
  t.equal(changes, servicesCount + 6);
  const own = [...reads.values()].filter((count) => count === 2);
  t.ok(own.length >= 60, `${own.length} unchanged services with a connection were asked twice: at once, then blocking`);
  // At first, then before the first notification, then once for each.
  t.ok(
    Math.max(...reads.values()) <= 2 + notifications,
    `${notifications} notifications, ${Math.max(...reads.values())} reads`,
  );
  const check = { Node: 'external', CheckID: 'c', Name: 'c', ServiceID: `s${late}`, Status: 'critical' };
  await consul.put('/v1/catalog/register', {
    Node: 'external',
    Address: '10.0.0.1',
    SkipNodeUpdate: true,
    Check: check,
  });
  await waitFor('the check', () => follows[late]?.state, {
    until: (state) => state?.kind === 'current' && state.value[0]?.checks[0]?.status === 'critical',
    timeoutMs: 60_000,
  });
  t.equal(changes, servicesCount + 7);
});
