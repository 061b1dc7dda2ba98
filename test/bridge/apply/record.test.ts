import t from 'tap';
import { publishRecord, repairCatalog } from '../../../lib/bridge/apply/record.ts';
import { ConsulClient } from '../../../lib/client/consul.ts';
import type { CatalogOperation } from '../../../lib/model/catalog.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';

const sandbox = await Sandbox.openFor(t, { name: 'record-sink' });
const consul = await sandbox.consul();
const client = new ConsulClient(consul.http);
t.teardown(() => client.close());

const set = (key: string, value: string): CatalogOperation => ({ kind: 'kv-set', key, value });
const cas = (key: string, value: string, index: number): CatalogOperation => ({ kind: 'kv-cas', key, value, index });
const count = async (prefix: string) => (await consul.get<string[]>(`/v1/kv/${prefix}?keys`))?.length ?? 0;

t.test('a publication writes everything or nothing', async (t) => {
  const key = 'one/record';
  const first = await publishRecord(client, { key, first: [cas(key, 'a', 0), set('one/x', '1')], rest: [] });
  if (first.kind !== 'applied') throw new Error('the first was fenced');
  t.equal(await consul.key('one/x'), '1');
  const late = await publishRecord(client, { key, first: [cas(key, 'b', 0), set('one/x', '2')], rest: [] });
  t.match(late, { kind: 'fenced', what: /step 0/ });
  t.strictSame([await consul.key(key), await consul.key('one/x')], ['a', '1']);
  const next = await publishRecord(client, { key, first: [cas(key, 'b', first.modifyIndex)], rest: [] });
  t.match(next, { kind: 'applied' });
});

t.test('what does not fit into one transaction follows in others, fenced by the record', async (t) => {
  const key = 'many/record';
  const rest = Array.from({ length: 200 }, (_, n) => set(`many/${n}`, 'x'));
  const outcome = await publishRecord(client, { key, first: [cas(key, 'a', 0)], rest });
  t.equal(outcome.kind, 'applied');
  t.equal(await count('many/'), 201);
});

t.test('a repair writes nothing when the record has changed', async (t) => {
  const key = 'repair/record';
  const made = await publishRecord(client, { key, first: [cas(key, 'a', 0)], rest: [] });
  if (made.kind !== 'applied') throw new Error('it was fenced');
  const held = { kind: 'present', modifyIndex: made.modifyIndex } as const;
  t.match(await repairCatalog(client, { key, held, steps: [set('repair/x', '1')] }), { kind: 'applied' });
  await consul.putKey(key, 'edited');
  t.match(await repairCatalog(client, { key, held, steps: [set('repair/x', '2')] }), { kind: 'fenced' });
  t.equal(await consul.key('repair/x'), '1');
});

t.test('a refusal of Consul for another reason is an error that names the step', async (t) => {
  const key = 'refused/record';
  const check = { id: 'c', serviceId: 's', serviceName: 's', name: 'c', status: 'passing', output: '' } as const;
  const steps: CatalogOperation[] = [cas(key, 'a', 0), { kind: 'check-set', node: 'nobody', check }];
  await t.rejects(publishRecord(client, { key, first: steps, rest: [] }), {
    code: 'consul-refused',
    message: /step 1 .*nobody/,
  });
  t.equal(await consul.key(key), undefined);
});

t.test('deleting what another bridge has deleted is no failure', async (t) => {
  const key = 'gone/record';
  const gone: CatalogOperation = { kind: 'service-delete', node: 'redis-gone', serviceId: 'x', name: 'redis-replica' };
  const node: CatalogOperation = {
    kind: 'node-set',
    node: 'redis-gone',
    address: '10.0.0.1',
    meta: {},
    taggedAddresses: {},
  };
  const outcome = await publishRecord(client, { key, first: [cas(key, 'a', 0), node], rest: [gone] });
  t.match(outcome, { kind: 'applied' });
});

t.test('an agent that does not answer causes an error within the time limit', async (t) => {
  consul.pause();
  t.teardown(() => (consul.paused ? consul.resume() : undefined));
  const key = 'paused/record';
  await t.rejects(publishRecord(client, { key, first: [cas(key, 'a', 0)], rest: [] }), { code: 'consul-unreachable' });
  consul.resume();
});
