import t from 'tap';
import { planPublication, planRepair } from '../../../lib/bridge/plan/catalog.ts';
import { judgeRecord, lastPublished } from '../../../lib/bridge/plan/evidence.ts';
import { holdingsAfter, nothing, wanted } from './catalog-world.ts';
import { at, record } from './world.ts';

const content = record('A', { epoch: 7, generation: 2, replicas: [at('B'), at('C')] });
const published = planPublication(wanted(content), { index: 42, catalogContents: nothing });
const inPlace = holdingsAfter([...published.first, ...published.rest]);

t.test('the services and the node have the published addresses, the record and its keys the real ones', async (t) => {
  const rule = { masters: '*', port: 6380, addresses: { '10.0.0.1': { host: '203.0.113.1', port: 1 } } };
  const publishing = wanted(content, { naming: { environment: undefined, publish: [rule] } });
  const { first, rest } = planPublication(publishing, { index: 42, catalogContents: nothing });
  const after = holdingsAfter([...first, ...rest]);
  t.strictSame(first[0], published.first[0], 'the record');
  t.strictSame(after.keys, inPlace.keys);
  t.strictSame(
    after.instances.map(({ id, address, port, meta }) => [id, address, port, meta['recorded-address']]),
    [
      ['redis-master', '203.0.113.1', 1, '10.0.0.1:6301'],
      ['redis-replica-10.0.0.2:6302', '10.0.0.2', 6380, '10.0.0.2:6302'],
      ['redis-replica-10.0.0.3:6303', '10.0.0.3', 6380, '10.0.0.3:6303'],
    ],
  );
  t.equal(after.instances[0]?.nodeAddress, '203.0.113.1');
  t.strictSame(planRepair(publishing, after), [], 'nothing to repair');
  const known = { votes: { views: [], knownSentinels: 3 }, trusted: undefined };
  t.equal(judgeRecord({ record: content, traces: after, naming: publishing.naming }, known), 'written');
  t.strictSame(lastPublished(after)?.master, content.master);
  const unknown = { ...publishing, master: undefined, replicas: [] };
  const repair = planRepair(unknown, inPlace);
  t.strictSame(
    repair.map(({ kind }) => kind),
    ['node-set', 'service-set', 'service-set', 'service-set'],
    'a rule that is new changes addresses, and no check',
  );
});
