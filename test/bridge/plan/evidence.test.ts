import t from 'tap';
import { planPublication } from '../../../lib/bridge/plan/catalog.ts';
import { judgeRecord, lastPublished } from '../../../lib/bridge/plan/evidence.ts';
import type { CatalogContents, ServiceInstance } from '../../../lib/model/catalog.ts';
import type { MasterRecord } from '../../../lib/model/record.ts';
import type { SentinelView } from '../../../lib/model/sentinel.ts';
import { at, record, view } from './world.ts';

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

const naturally = { votes: { views: [], knownSentinels: 3 }, trusted: undefined };
function judge(
  traces: CatalogContents,
  changes: Partial<MasterRecord> = {},
  known: Partial<Parameters<typeof judgeRecord>[1]> = {},
) {
  return judgeRecord({ record: { ...written, ...changes }, traces, naming }, { ...naturally, ...known });
}

t.test('a bridge wrote a record where its key or its service agrees, and none contradicts it', async (t) => {
  t.equal(judge(contents(own)), 'written');
  t.equal(judge({ ...contents(own), instances: [] }), 'written', 'the service was removed');
  t.equal(judge({ ...contents(own), keys: new Map() }), 'written', 'the keys were removed');
  t.equal(judge(nothing), 'unknown', 'the rest was deleted');
  t.equal(judge(contents('192.0.2.1:1')), 'suspected', 'another key');
  t.equal(judge(contents(own, { port: 1 })), 'suspected', 'another service');
});

t.test('a record is suspected where its service or its key has another version', async (t) => {
  const epochKey = (value: string) => ({ key: 'redis/master/m/epoch', value, modifyIndex: 1 });
  const withEpoch = (value: string) => new Map([...contents(own).keys, ['redis/master/m/epoch', epochKey(value)]]);
  t.equal(judge(contents(own), { epoch: 107 }), 'suspected', 'the same master at a later epoch');
  t.equal(judge(contents(own), { generation: 3 }), 'suspected', 'the same master in a later generation');
  t.equal(judge(contents(own, { meta: {} }), { epoch: 107 }), 'written', 'a service without its version');
  t.equal(judge({ keys: withEpoch('7'), instances: [] }), 'written');
  t.equal(judge({ keys: withEpoch('6'), instances: [] }), 'suspected');
});

t.test('a majority of the Sentinels confirms a record that something contradicts', async (t) => {
  const seven = [1, 2, 3].map((n) => view(n, 'A', 7));
  const by = (views: readonly SentinelView[]) =>
    judge(contents('192.0.2.1:1'), {}, { votes: { views, knownSentinels: 3 } });
  t.equal(by(seven.slice(1)), 'written');
  t.equal(by(seven.slice(2)), 'suspected');
  t.equal(by(seven.map((one) => ({ ...one, condition: 'failover' }))), 'suspected', 'all of them fail over');
  t.equal(by(seven.map((one) => ({ ...one, configEpoch: 8 }))), 'suspected');
});

t.test('beside a trusted record, only a newer one is suspected', async (t) => {
  const trusted = record('A', { epoch: 6, generation: 2 });
  t.equal(judge(nothing, {}, { trusted }), 'suspected', 'nothing speaks for it');
  t.equal(judge(contents('192.0.2.1:1'), {}, { trusted: written }), 'unknown', 'only the key was edited');
  t.equal(judge(contents('192.0.2.1:1'), { epoch: 5 }, { trusted }), 'unknown', 'an older one');
  const votes = { views: [1, 2].map((n) => view(n, 'A', 5)), knownSentinels: 3 };
  const back = { generation: 3, epoch: 5 };
  t.equal(judge(contents(own), back, { trusted, votes }), 'suspected', 'Sentinels that lag behind a promotion');
});

t.test('the service has the version and the master of the last record', async (t) => {
  t.strictSame(lastPublished(contents(own)), { generation: 2, epoch: 7, master: { host, port } });
  t.equal(lastPublished(nothing), undefined);
  for (const meta of [{}, { epoch: '7' }, { epoch: '7', generation: 'x' }, { epoch: '-1', generation: '2' }])
    t.equal(lastPublished(contents(own, { meta })), undefined, JSON.stringify(meta));
});
