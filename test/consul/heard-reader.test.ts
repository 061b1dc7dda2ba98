import t from 'tap';
import { HeardReader } from '../../lib/consul/heard-reader.ts';
import type { ConsulQuery } from '../../lib/model/query.ts';

t.test('only answers of servers that know a leader are heard', async (t) => {
  const answer = { value: [], index: 1n, knownLeader: true, lastContactMs: 0, streamed: false };
  const hear = async (query: ConsulQuery, differs: object = {}) => {
    const reader = new HeardReader({ read: async () => ({ ...answer, ...differs }) });
    await reader.read(query, {});
    return reader.heardMs > 0;
  };
  const tree: ConsulQuery = { kind: 'key-tree', prefix: 'redis/' };
  t.ok(await hear(tree));
  t.notOk(await hear(tree, { knownLeader: false }), 'a server without a leader');
  t.notOk(await hear({ ...tree, dc: 'other' }), 'servers of another datacenter');
  t.notOk(await hear({ kind: 'agent-node' }), 'the agent itself');
  t.notOk(await hear({ kind: 'service', service: 'redis-master' }), 'a view that the agent keeps');
});

t.test('an error is not heard, and what is denied is asked of the reader behind it', async (t) => {
  const failing = new HeardReader({
    read: () => Promise.reject(new Error('no')),
    denied: async (access) => access,
  });
  await t.rejects(failing.read({ kind: 'key', key: 'a' }, {}));
  t.notOk(failing.heardMs > 0);
  const access = [{ resource: 'key', segment: 'a' }] as const;
  t.strictSame(await failing.denied(access, {}), access);
});
