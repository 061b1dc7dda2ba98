import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { ConsulClient, type ReadOptions } from '../../../lib/client/consul.ts';
import { PooledReader } from '../../../lib/consul/pooled-reader.ts';
import { CatalogWatches, type Follow } from '../../../lib/consul/watches.ts';
import type { ConsulQuery } from '../../../lib/model/query.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';

const sandbox = await Sandbox.openFor(t, { name: 'thousand' });

t.test('a thousand watched services fit into a hundred connections, and cost no polling', async (t) => {
  const consul = await sandbox.consul({ config: { limits: { http_max_conns_per_client: 100 } } });
  const names = Array.from({ length: 1_000 }, (_, i) => `s${i}`);
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
  let reads = 0;
  const counting = {
    read(query: ConsulQuery, options: ReadOptions) {
      reads += 1;
      return client.read(query, options);
    },
  };
  const watches = new CatalogWatches({ client: new PooledReader(counting, { ownConnections: 64 }) });
  t.teardown(async () => {
    await watches.close();
    client.close();
  });
  let changes = 0;
  const follows = names.map((service) => watches.follow({ kind: 'service', service }, () => (changes += 1)));
  const portOf = ({ state }: Follow<{ kind: 'service'; service: string }>) =>
    state.kind === 'current' ? state.value[0]?.port : undefined;
  const untilAll = (expected: (i: number) => number) =>
    waitFor('every service', () => follows.filter((follow, i) => portOf(follow) === expected(i)).length, {
      until: (count) => count === names.length,
      timeoutMs: 20_000,
    });
  await untilAll(() => 1);
  t.equal(changes, 1_000);
  // Every watch has had time to ask again; what asks now would ask for ever.
  await waitFor(
    'quiet',
    async () => {
      const before = reads;
      await delay(300);
      return reads - before;
    },
    { until: (count) => count === 0 },
  );
  const quiet = reads;
  await delay(1_000);
  t.equal(reads, quiet);
  await register(['s5', 's995'], 2);
  await untilAll((i) => (i === 5 || i === 995 ? 2 : 1));
  t.equal(changes, 1_002);
  const check = { Node: 'external', CheckID: 'c', Name: 'c', ServiceID: 's990', Status: 'critical' };
  await consul.put('/v1/catalog/register', {
    Node: 'external',
    Address: '10.0.0.1',
    SkipNodeUpdate: true,
    Check: check,
  });
  await waitFor('the check', () => follows[990]?.state, {
    until: (state) => state?.kind === 'current' && state.value[0]?.checks[0]?.status === 'critical',
    timeoutMs: 20_000,
  });
  t.equal(changes, 1_003);
});
