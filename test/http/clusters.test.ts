import t from 'tap';
import { clusterAnswer, clustersAnswer, instancesAnswer } from '../../lib/http/shapes.ts';
import type { ClusterState, InstanceState } from '../../lib/http/views.ts';
import { serve } from './serve.ts';
import { exampleViews } from './views.ts';

const at = (port: number) => ({ host: '10.0.0.7', port });
const whole: ClusterState = {
  name: 'sessions',
  record: {
    version: 1,
    name: 'sessions',
    epoch: 9,
    state: 'ok',
    uncovered: [],
    shards: [
      { slots: [{ from: 0, to: 8_191 }], master: at(7000), replicas: [at(7003)] },
      { slots: [{ from: 8_192, to: 16_383 }], master: at(7001), replicas: [] },
    ],
    changedAt: '2026-01-01T00:00:00.000Z',
    changedBy: 'node-1',
  },
  problem: null,
  unwell: [],
  crashes: [],
  maintenance: null,
  nodes: [at(7000), at(7001), at(7003)],
};
const holed: ClusterState = {
  ...whole,
  name: 'holed',
  record: whole.record && { ...whole.record, name: 'holed', uncovered: [{ from: 5, to: 5 }] },
};
const failed: ClusterState = { ...whole, name: 'failed', record: whole.record && { ...whole.record, state: 'fail' } };
const young: ClusterState = { ...whole, name: 'young', record: null };
const instance: InstanceState = {
  id: 'redis-10.0.0.5:6379',
  kind: 'redis',
  name: 'shard1',
  address: { host: '10.0.0.5', port: 6379 },
  socket: null,
  role: 'master',
  version: '7.0.15',
  check: { status: 'passing', output: 'master' },
  seenAt: '2026-01-01T00:00:00.000Z',
};

const { server } = serve(t, exampleViews({ clusters: [whole, holed, failed, young], instances: [instance] }));

t.test('clusters are shown with their records', async (t) => {
  const list = (await server.inject('/v1/clusters')).json();
  t.ok(clustersAnswer.safeParse(list).success);
  t.equal(list.clusters.length, 4);
  const one = (await server.inject('/v1/clusters/sessions')).json();
  t.ok(clusterAnswer.safeParse(one).success);
  t.match(one, { name: 'sessions', record: { epoch: 9 }, lastOutcome: null });
  t.equal((await server.inject('/v1/clusters/none')).statusCode, 404);
});

t.test("a node's own instances are shown", async (t) => {
  const answer = (await server.inject('/v1/instances')).json();
  t.ok(instancesAnswer.safeParse(answer).success);
  t.strictSame(answer, { instances: [{ ...instance, type: 'redis' }] });
});

t.test('a check is 200 only for a cluster that serves every slot, and for a node in its role', async (t) => {
  const cases: readonly (readonly [query: string, status: number])[] = [
    ['', 200],
    ['?name=sessions', 200],
    ['?name=holed', 503],
    ['?name=failed', 503],
    ['?name=young', 503],
    ['?name=none', 503],
    ['?name=sessions&address=10.0.0.7:7000', 200],
    ['?name=sessions&address=10.0.0.7:7000&role=master', 200],
    ['?name=sessions&address=10.0.0.7:7000&role=replica', 503],
    ['?name=sessions&address=10.0.0.7:7003&role=replica', 200],
    ['?name=sessions&address=10.0.0.7:7009', 503],
    ['?name=holed&address=10.0.0.7:7000', 503],
    ['?address=10.0.0.7', 400],
    ['?role=leader', 400],
    ['?maxLag=5', 400],
  ];
  for (const [query, status] of cases) {
    t.equal((await server.inject(`/check/cluster${query}`)).statusCode, status, query);
  }
  t.equal((await server.inject({ method: 'OPTIONS', url: '/check/cluster' })).statusCode, 200);
});
