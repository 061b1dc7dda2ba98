import t from 'tap';
import type { Indexed, ReadOptions } from '../../lib/client/consul-options.ts';
import { PooledReader } from '../../lib/consul/pooled-reader.ts';
import type { Reader } from '../../lib/consul/watch.ts';
import type { ConsulAnswers, ConsulQuery } from '../../lib/model/query.ts';

/* What it does with a real Consul: test/integration/renderer/many-services.test.ts. */

const answer = { value: [], index: 1n, knownLeader: true, lastContactMs: 0 };

t.test('keys and the services of Redis are not read behind many other services', async (t) => {
  const release = Promise.withResolvers<void>();
  const client: Reader = {
    read: async <Q extends ConsulQuery>(query: Q, _: ReadOptions) => {
      if (query.kind === 'service' && query.service.startsWith('web')) await release.promise;
      return answer as unknown as Indexed<ConsulAnswers[Q['kind']]>;
    },
  };
  const reader = new PooledReader(client, { ownConnections: 1 });
  const many = Array.from({ length: 100 }, (_, i) => reader.read({ kind: 'service', service: `web-${i}` }, {}));
  const urgent = [
    reader.read({ kind: 'key-tree', prefix: 'redis/record/' }, {}),
    reader.read({ kind: 'service', service: 'redis-master' }, {}),
  ];
  const late = new Promise((resolve) => setImmediate(resolve, 'late'));
  t.not(await Promise.race([Promise.all(urgent), late]), 'late');
  release.resolve();
  t.equal((await Promise.all(many)).length, 100);
});
