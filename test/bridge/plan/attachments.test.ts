import t from 'tap';
import { planPublication } from '../../../lib/bridge/plan/catalog.ts';
import { isOfMaster } from '../../../lib/model/master-instance.ts';
import { holdingsAfter, nothing, wanted } from './catalog-world.ts';
import { at, record } from './world.ts';

const content = record('A', { epoch: 7, generation: 2, replicas: [at('B'), at('C')] });
const { first, rest } = planPublication(wanted(content), { index: 42, catalogContents: nothing });
const inPlace = holdingsAfter([...first, ...rest]);

t.test('a change of master keeps what others attached to the services and the node', async (t) => {
  const instances = inPlace.instances.map((held) => ({
    ...held,
    nodeMeta: { ...held.nodeMeta, rack: '7' },
    enableTagOverride: true,
    tags: [...held.tags, 'traefik.enable=true', 'other'],
    meta: { ...held.meta, owner: 'x', epoch: '1' },
    weights: { passing: 5, warning: 2 },
  }));
  const moved = wanted(record('B', { epoch: 8, replicas: [at('C')] }), { names: () => ['m', 'other'] });
  const { first, rest } = planPublication(moved, { index: 1, catalogContents: { ...inPlace, instances } });
  t.match(
    first.find(({ kind }) => kind === 'node-set'),
    { meta: { rack: '7', 'external-node': 'true' } },
  );
  const services = [...first, ...rest].flatMap((step) => (step.kind === 'service-set' ? [step.service] : []));
  t.equal(services.length, 2);
  for (const service of services) {
    t.strictSame(service.tags, ['m', 'traefik.enable=true']);
    t.match(service, { meta: { owner: 'x', epoch: '8' }, weights: { passing: 5 }, enableTagOverride: true });
  }
  t.match(services[0], { address: '10.0.0.2', port: 6302 });
});

t.test('an instance with a tag of somebody else still belongs to its master', async (t) => {
  const of = { naming: { environment: undefined }, name: 'm' };
  for (const instance of inPlace.instances) t.ok(isOfMaster({ ...instance, tags: [...instance.tags, 'x'] }, of));
  const [instance] = inPlace.instances;
  if (instance === undefined) throw new Error('no instance');
  t.notOk(isOfMaster(instance, { ...of, name: 'other' }));
  t.notOk(isOfMaster(instance, { ...of, naming: { environment: 'prod' } }));
  t.notOk(isOfMaster({ ...instance, nodeMeta: {}, tags: ['m', 'prod'] }, of), 'on a node without marks');
});
