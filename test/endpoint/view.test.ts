import t from 'tap';
import { makeView, type ServedView } from '../../lib/endpoint/plan/view.ts';
import type { CheckStatus, ServiceInstance } from '../../lib/model/catalog.ts';
import { makeRecord } from '../template/world.ts';

const naming = { environment: undefined };
const own = { id: '0'.repeat(40), environment: '', transport: 'tcp' } as const;

function instance(
  name: string,
  over: Partial<ServiceInstance> & { readonly status?: CheckStatus; readonly notes?: string },
): ServiceInstance {
  const { status = 'passing', notes = '', ...given } = over;
  const id = given.id ?? name;
  const check = { id: `${id}:sentinel`, serviceId: id, name: 'Sentinel', status, output: '', notes };
  return {
    node: 'redis-shard1',
    nodeAddress: '10.0.0.1',
    nodeMeta: {},
    datacenter: 'dc1',
    id,
    name,
    address: '10.0.0.1',
    port: 6379,
    tags: ['shard1'],
    meta: { master: 'shard1' },
    checks: [check],
    ...given,
  };
}

const empty = { records: [makeRecord()], masters: [], replicas: [], endpoints: [] };
const options = { naming, own, nowMs: 0 };

t.test("the check of the record's own address is the master's condition", async (t) => {
  const conditionOf = (...masters: ServiceInstance[]) =>
    makeView({ ...empty, masters }, options).masters.get('shard1')?.condition;
  t.equal(conditionOf(), 'up', 'not read yet');
  t.equal(conditionOf(instance('redis-master', { status: 'warning' })), 's_down');
  t.equal(conditionOf(instance('redis-master', { status: 'critical' })), 'o_down');
  t.equal(conditionOf(instance('redis-master', { status: 'warning', notes: 'failing-over' })), 'o_down', 'by its code');
  t.equal(
    conditionOf(instance('redis-master', { status: 'critical', address: '10.0.0.9' })),
    'up',
    'the former master',
  );
  t.equal(conditionOf(instance('redis-master', { status: 'critical', tags: ['shard1', 'other'] })), 'up', 'elsewhere');
});

t.test('a dead replica is down, and one without a link is not', async (t) => {
  const at = { id: 'redis-replica-10.0.0.2:6379', address: '10.0.0.2' };
  const replicaOf = (status: CheckStatus) =>
    makeView({ ...empty, replicas: [instance('redis-replica', { ...at, status })] }, options).masters.get('shard1')
      ?.replicas[0];
  t.match(replicaOf('passing'), { condition: 'up', link: 'ok' });
  t.match(replicaOf('warning'), { condition: 'up', link: 'err' });
  t.match(replicaOf('critical'), { condition: 's_down', link: 'err' });
});

t.test('clients get the published addresses, with the state of the recorded ones', async (t) => {
  const publish = [{ masters: 'shard*', port: 6380, addresses: { '10.0.0.2': { host: '203.0.113.5', port: 1 } } }];
  const moved = { address: '203.0.113.5', port: 1, meta: { master: 'shard1', 'recorded-address': '10.0.0.2:6379' } };
  const replicas = [instance('redis-replica', { ...moved, status: 'critical' })];
  const view = makeView({ ...empty, replicas }, { ...options, naming: { ...naming, publish } });
  t.match(view.masters.get('shard1'), {
    address: { host: '10.0.0.1', port: 6380 },
    replicas: [{ address: { host: '203.0.113.5', port: 1 }, condition: 's_down' }],
  });
});

t.test('a master of which nothing changed stays the same object', async (t) => {
  const [one, other] = [makeRecord(), makeRecord({ name: 'shard2' })];
  const masters = [instance('redis-master', {})];
  const before = makeView({ ...empty, records: [one, other], masters }, options);
  const again = makeView(
    { ...empty, records: [one, makeRecord({ name: 'shard2', epoch: 5 })], masters },
    { ...options, former: before },
  );
  t.equal(again.masters.get('shard1'), before.masters.get('shard1'));
  t.match(again.masters.get('shard2'), { record: { epoch: 5 } });
  const down = [instance('redis-master', { status: 'warning' })];
  const later = makeView({ ...empty, records: [one, other], masters: down }, { ...options, former: again });
  t.equal(later.masters.get('shard1')?.condition, 's_down');
});

t.test('other endpoints: healthy ones that a client can reach, each once', async (t) => {
  const at = (node: string, address: string, digit: string, over: { status?: CheckStatus; meta?: object } = {}) => {
    const meta = { ...own, id: digit.repeat(40), ...over.meta };
    return instance('redis-sentinel-endpoint', { ...over, node, address, port: 26379, meta });
  };
  const endpoints = [
    at('here', '127.0.0.1', '0'),
    at('here', '127.0.0.1', '1'),
    at('there', '127.0.0.1', '2'),
    at('there', '10.0.0.7', '3'),
    at('there', '10.0.0.8', '4', { status: 'critical' }),
    at('there', '10.0.0.10', '5', { meta: { environment: 'staging' } }),
    at('there', '10.0.0.11', '6', { meta: { transport: 'tls' } }),
    at('again', '10.0.0.7', '3'),
    at('odd', '10.0.0.9', 'x'),
  ];
  t.strictSame(
    makeView({ ...empty, endpoints }, options).endpoints.map(({ id }) => id.charAt(0)),
    ['3', '1'],
  );
});

t.test('a list of endpoints without this one is incomplete: the former list stays for a minute', async (t) => {
  const at = (address: string, digit: string) =>
    instance('redis-sentinel-endpoint', { address, port: 26379, meta: { ...own, id: digit.repeat(40) } });
  const others = (view: ServedView) => view.endpoints.map(({ id }) => id.charAt(0));
  const started = makeView({ ...empty, endpoints: [at('10.0.0.7', '3')] }, options);
  t.strictSame(others(started), ['3'], 'before it is registered');
  const listed = makeView(
    { ...empty, endpoints: [at('10.0.0.1', '0'), at('10.0.0.7', '3')] },
    { ...options, former: started },
  );
  for (const endpoints of [[], [at('10.0.0.8', '4')]]) {
    const incomplete = makeView({ ...empty, endpoints }, { ...options, former: listed });
    t.strictSame(others(incomplete), ['3']);
    t.strictSame(others(makeView({ ...empty, endpoints }, { ...options, former: incomplete })), ['3'], 'for as long');
  }
  t.strictSame(others(makeView({ ...empty, endpoints: [at('10.0.0.1', '0')] }, { ...options, former: listed })), []);
  const later = (former: ServedView, nowMs: number) =>
    makeView({ ...empty, endpoints: [at('10.0.0.8', '4')] }, { ...options, former, nowMs });
  const gone = later(listed, 1_000);
  t.strictSame(others(later(gone, 60_999)), ['3']);
  t.strictSame(others(later(later(gone, 60_999), 61_000)), ['4'], 'it left for good');
  const back = makeView(
    { ...empty, endpoints: [at('10.0.0.1', '0'), at('10.0.0.7', '3')] },
    { ...options, former: gone },
  );
  t.strictSame(others(later(back, 70_000)), ['3'], 'the minute begins again');
});
