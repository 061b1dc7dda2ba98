import t from 'tap';
import { planPublication } from '../../../lib/bridge/plan/catalog.ts';
import { isEdited, lastPublished } from '../../../lib/bridge/plan/evidence.ts';
import type { CatalogContents, ServiceInstance } from '../../../lib/model/catalog.ts';
import { at, record } from './world.ts';

const naming = { environment: undefined };
const written = record('A', { epoch: 7, generation: 2 });
const nothing: CatalogContents = { keys: new Map(), instances: [] };

/** What Consul holds after the record was written, but for the differences. */
function contents(key: string, service: Partial<ServiceInstance> = {}): CatalogContents {
  const { first } = planPublication(
    { naming, record: written, master: undefined, replicas: [] },
    { index: 0, catalogContents: nothing },
  );
  const step = first.find(({ kind }) => kind === 'service-set');
  if (step?.kind !== 'service-set') throw new Error('a publication writes the service');
  const agent = { node: 'redis-m', nodeAddress: '10.0.0.1', nodeMeta: {}, datacenter: 'dc1', checks: [] };
  return {
    keys: new Map([['redis/master/m', { key: 'redis/master/m', value: key, modifyIndex: 1 }]]),
    instances: [{ ...agent, ...step.service, ...service }],
  };
}

const { host, port } = at('A');
const own = `${host}:${port}`;

t.test('a record is edited where its key or its service names another master', async (t) => {
  t.equal(isEdited(written, contents(own), naming), false);
  t.equal(isEdited(written, nothing, naming), false, 'the rest was deleted');
  t.equal(isEdited(written, contents('192.0.2.1:1'), naming), true);
  t.equal(isEdited(written, contents(own, { port: 1 }), naming), true);
});

t.test('the service has the version and the master of the last record', async (t) => {
  t.strictSame(lastPublished(contents(own)), { generation: 2, epoch: 7, master: { host, port } });
  t.equal(lastPublished(nothing), undefined);
  for (const meta of [{}, { epoch: '7' }, { epoch: '7', generation: 'x' }, { epoch: '-1', generation: '2' }])
    t.equal(lastPublished(contents(own, { meta })), undefined, JSON.stringify(meta));
});
