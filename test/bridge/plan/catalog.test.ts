import t from 'tap';
import { planPublication, planRepair } from '../../../lib/bridge/plan/catalog.ts';
import type { CatalogContents, CatalogOperation, ServiceInstance } from '../../../lib/model/catalog.ts';
import { formatRecord } from '../../../lib/model/record.ts';
import { holdingsAfter, nothing, wanted } from './catalog-world.ts';
import { at, record } from './world.ts';

const content = record('A', { epoch: 7, generation: 2, replicas: [at('B'), at('C')] });
const published = planPublication(wanted(content), { index: 42, catalogContents: nothing });
const inPlace = holdingsAfter([...published.first, ...published.rest]);

t.test(
  'a publication fences by the record first, and writes a node before its services and those before their checks',
  async (t) => {
    const steps = [...published.first, ...published.rest];
    t.strictSame(steps[0], { kind: 'kv-cas', key: 'redis/record/m', value: formatRecord(content), index: 42 });
    t.strictSame(
      steps.map(({ kind }) => kind).join(' '),
      'kv-cas kv-set kv-set kv-set kv-set node-set service-set check-set service-set check-set service-set check-set',
    );
    t.strictSame(Object.fromEntries([...inPlace.keys].map(([key, { value }]) => [key, value])), {
      'redis/master/m': '10.0.0.1:6301',
      'redis/master/m/host': '10.0.0.1',
      'redis/master/m/port': '6301',
      'redis/master/m/epoch': '7',
    });
  },
);

t.test('a publication writes the record, the keys and the services that DNS needs', async (t) => {
  const [master, first] = inPlace.instances;
  t.match(master, { node: 'redis-m', id: 'redis-master', name: 'redis-master', address: '10.0.0.1', port: 6301 });
  t.strictSame(master?.tags, ['m']);
  t.strictSame(master?.meta, { master: 'm', generation: '2', epoch: '7' });
  t.match(master?.nodeMeta, { 'external-node': 'true', 'external-probe': 'false' });
  t.match(first, { id: 'redis-replica-10.0.0.2:6302', name: 'redis-replica', address: '10.0.0.2', port: 6302 });
  t.strictSame(
    inPlace.instances.map(({ checks }) => checks.map(({ id, status }) => `${id} ${status}`)),
    [
      ['redis-master:sentinel passing'],
      ['redis-replica-10.0.0.2:6302:sentinel passing'],
      ['redis-replica-10.0.0.3:6303:sentinel passing'],
    ],
  );
});

t.test('an environment is part of every key and a tag of every service', async (t) => {
  const { first } = planPublication(wanted(content, { naming: { environment: 'prod' } }), {
    index: 0,
    catalogContents: nothing,
  });
  const keys = first.flatMap((step) => ('key' in step ? [step.key] : []));
  t.ok(keys.every((key) => key.startsWith('redis/prod/')));
  t.match(
    first.find(({ kind }) => kind === 'service-set'),
    { node: 'redis-prod-m', service: { tags: ['m', 'prod', 'prod-m'] } },
  );
});

t.test('a master on its distinct node has no label of the master with the usual node', async (t) => {
  for (const [environment, tags] of [
    ['prod', ['m', 'prod', 'prod-m-0a1b2c3d']],
    [undefined, ['prod-m-0a1b2c3d']],
  ] as const) {
    const on = { index: 0, catalogContents: { ...nothing, node: 'redis-prod-m-0a1b2c3d' } };
    const { first } = planPublication(wanted(content, { naming: { environment } }), on);
    t.match(
      first.find(({ kind }) => kind === 'service-set'),
      { node: on.catalogContents.node, service: { tags } },
    );
  }
});

t.test('a name that DNS cannot carry has both forms as tags', async (t) => {
  const { first } = planPublication(wanted({ ...content, name: 'my.shard' }), { index: 0, catalogContents: nothing });
  t.match(
    first.find(({ kind }) => kind === 'service-set'),
    { node: 'redis-my-shard', service: { tags: ['my-shard', 'my.shard'] } },
  );
});

t.test('a publication after a failover removes the services of former replicas', async (t) => {
  const moved = record('B', { epoch: 8, replicas: [at('C')] });
  const { rest } = planPublication(wanted(moved), { index: 1, catalogContents: inPlace });
  t.strictSame(
    rest.filter(({ kind }) => kind === 'service-delete'),
    [{ kind: 'service-delete', node: 'redis-m', serviceId: 'redis-replica-10.0.0.2:6302', name: 'redis-replica' }],
  );
});

t.test('a repair leaves what agrees with the record', async (t) => {
  t.strictSame(planRepair(wanted(content), inPlace), []);
});

t.test('a repair of an empty catalog writes what a publication writes, except the record', async (t) => {
  const steps = planRepair(wanted(content), nothing);
  t.strictSame(holdingsAfter(steps), inPlace);
});

const key = (name: string, value: string | undefined): CatalogContents => {
  const keys = new Map(inPlace.keys);
  if (value === undefined) keys.delete(name);
  else keys.set(name, { key: name, value, modifyIndex: 9 });
  return { ...inPlace, keys };
};
const instance = (id: string, change: (held: ServiceInstance) => ServiceInstance | undefined): CatalogContents => ({
  ...inPlace,
  instances: inPlace.instances.flatMap((held) => (held.id === id ? (change(held) ?? []) : [held])),
});
const every = (change: Partial<ServiceInstance>): CatalogContents => ({
  ...inPlace,
  instances: inPlace.instances.map((held) => ({ ...held, ...change })),
});
const replicaB = 'redis-replica-10.0.0.2:6302';

const repairs: readonly (readonly [string, CatalogContents, readonly string[]])[] = [
  ['a plain key is gone', key('redis/master/m', undefined), ['kv-set redis/master/m']],
  ['a plain key was edited', key('redis/master/m/port', '1'), ['kv-set redis/master/m/port']],
  [
    'the master service is gone',
    instance('redis-master', () => undefined),
    ['service-set redis-master', 'check-set redis-master:sentinel'],
  ],
  [
    'its address was edited',
    instance('redis-master', (held) => ({ ...held, address: '10.9.9.9' })),
    ['service-set redis-master'],
  ],
  ['its port was edited', instance('redis-master', (held) => ({ ...held, port: 1 })), ['service-set redis-master']],
  ['its tag is gone', instance('redis-master', (held) => ({ ...held, tags: ['x'] })), ['service-set redis-master']],
  [
    'the tag of another master was added',
    instance('redis-master', (held) => ({ ...held, tags: [...held.tags, 'OTHER'] })),
    ['service-set redis-master'],
  ],
  [
    'its meta was edited',
    instance('redis-master', (held) => ({ ...held, meta: { ...held.meta, epoch: '1' } })),
    ['service-set redis-master'],
  ],
  [
    'somebody attached tags, meta, weights and further addresses',
    every({
      tags: ['x', 'm', 'y'],
      nodeTaggedAddresses: { wan: '192.0.2.8' },
      weights: { passing: 9, warning: 1 },
      meta: { ...inPlace.instances[0]?.meta, x: 'y' },
    }),
    [],
  ],
  [
    'its meta has an address that is not published any more',
    instance('redis-master', (held) => ({ ...held, meta: { ...held.meta, 'recorded-address': '10.0.0.1:1' } })),
    ['service-set redis-master'],
  ],
  [
    "it has another service's name",
    instance('redis-master', (held) => ({ ...held, name: 'redis-replica' })),
    ['service-set redis-master'],
  ],
  [
    'its check is gone',
    instance('redis-master', (held) => ({ ...held, checks: [] })),
    ['check-set redis-master:sentinel'],
  ],
  [
    'its check was edited',
    instance('redis-master', (held) => ({
      ...held,
      checks: held.checks.map((c) => ({ ...c, status: 'critical' as const })),
    })),
    ['check-set redis-master:sentinel'],
  ],
  [
    'its check has no code, as of a former version',
    instance('redis-master', (held) => ({ ...held, checks: held.checks.map(({ notes, ...check }) => check) })),
    ['check-set redis-master:sentinel'],
  ],
  [
    'another check was added',
    instance('redis-master', (held) => ({
      ...held,
      checks: [
        ...held.checks,
        { id: 'x', serviceId: 'redis-master', name: 'x', status: 'passing' as const, output: '' },
      ],
    })),
    [],
  ],
  [
    'a replica is gone',
    instance(replicaB, () => undefined),
    [`service-set ${replicaB}`, `check-set ${replicaB}:sentinel`],
  ],
  ['the node has another address', every({ nodeAddress: '10.9.9.9' }), ['node-set redis-m']],
  ['the node lost its marks', every({ nodeMeta: {} }), ['node-set redis-m']],
  [
    'a second master was registered on the node',
    {
      ...inPlace,
      instances: [
        ...inPlace.instances,
        ...instance('redis-master', (held) => ({ ...held, id: 'x' })).instances.slice(0, 1),
      ],
    },
    ['service-delete x'],
  ],
];
for (const [what, catalogContents, expected] of repairs) {
  t.test(`a repair writes only what differs: ${what}`, async (t) => {
    const repaired = planRepair(wanted(content, { names: () => ['m', 'other'] }), catalogContents);
    t.strictSame(repaired.map(stepName), expected);
  });
}

t.test('while no Sentinel has an opinion, a check keeps its status for the same address', async (t) => {
  const silent = wanted(content, {
    master: undefined,
    replicas: content.replicas.map((address) => ({ address, opinion: undefined })),
  });
  t.strictSame(planRepair(silent, inPlace), []);
  const change = { ...silent, record: record('D', { epoch: 8 }) };
  const moved = planPublication(change, { index: 1, catalogContents: inPlace });
  t.match(moved.first.at(-1), {
    kind: 'check-set',
    check: { status: 'warning', output: 'no Sentinel has judged it yet' },
  });
});

t.test('a replica that no Sentinel has seen yet is critical, so it gets no traffic', async (t) => {
  const unseen = wanted(content, { replicas: content.replicas.map((address) => ({ address, opinion: undefined })) });
  const { rest } = planPublication(unseen, { index: 1, catalogContents: nothing });
  t.match(rest.at(-1), { check: { status: 'critical', output: 'Sentinel: not seen yet' } });
});

function stepName(step: CatalogOperation): string {
  if ('key' in step) return `${step.kind} ${step.key}`;
  if (step.kind === 'service-set') return `${step.kind} ${step.service.id}`;
  if (step.kind === 'check-set') return `${step.kind} ${step.check.id}`;
  if (step.kind === 'service-delete') return `${step.kind} ${step.serviceId}`;
  return `${step.kind} ${step.node}`;
}
