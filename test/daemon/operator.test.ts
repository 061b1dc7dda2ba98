import t from 'tap';
import { Operator, type OrderedBridge } from '../../lib/daemon/operator.ts';
import { SwitchmasterError } from '../../lib/errors.ts';
import type { ClusterControls } from '../../lib/http/views.ts';
import type { RunReport } from '../../lib/loop/outcome.ts';
import type { MasterRecord } from '../../lib/model/record.ts';
import { exampleMaster } from '../http/views.ts';

const record = exampleMaster.record as MasterRecord;
const planned = {
  name: 'shard1',
  manner: 'paused' as const,
  from: { host: '10.0.0.5', port: 6379 },
  to: { host: '10.0.0.6', port: 6379 },
  generation: 1,
  epoch: 8,
  stages: { paused: 2, promoted: 122 },
  withoutWritesMs: 120,
  offsets: { paused: 100, inherited: Number.NaN },
};

function employ(bridge: Partial<OrderedBridge> | undefined, clusters?: ClusterControls) {
  const reports: RunReport[] = [];
  const steps: RunReport[] = [];
  const preview = async () => Promise.reject(new Error('it was not asked for'));
  const orders = { failOver: async () => planned, previewFailover: preview, rebase: async () => record };
  const whole = { ...orders, ...bridge };
  const operator = new Operator({
    bridge: () => (bridge === undefined ? undefined : whole),
    clusters: () => clusters,
    maintenance: () => ({ order: preview }),
    onReport: (report) => reports.push(report),
    onStep: (report) => steps.push(report),
  });
  return { operator, reports, steps };
}

t.test('the reports of the steps and of the outcome have one id', async (t) => {
  const { operator, reports, steps } = employ({
    failOver: async (_name, { onStep, onWait }) => {
      onWait?.('10.0.0.6:6379 is link-down', 0);
      onStep?.('paused', 2);
      onStep?.('promoted', 122);
      return planned;
    },
  });
  const answer = await operator.masters.failOver('shard1', {});
  t.equal(answer.offsets.inherited, null, 'what is not known is null, for JSON');
  t.strictSame(
    steps.map(({ loop, key, outcome }) => [loop, key, 'details' in outcome ? outcome.details : undefined]),
    [
      ['failover-step', 'shard1', { step: 'waiting', elapsedMs: 0 }],
      ['failover-step', 'shard1', { step: 'paused', elapsedMs: 2 }],
      ['failover-step', 'shard1', { step: 'promoted', elapsedMs: 122 }],
    ],
  );
  t.match(reports, [{ loop: 'failover', key: 'shard1', outcome: { kind: 'applied', details: { cause: 'planned' } } }]);
  t.equal(new Set([...steps, ...reports].map(({ reconcileId }) => reconcileId)).size, 1);
});

t.test('a master has one order at a time', async (t) => {
  const { promise, resolve } = Promise.withResolvers<typeof planned>();
  const { operator } = employ({ failOver: () => promise });
  const first = operator.masters.failOver('shard1', {});
  await t.rejects(operator.masters.failOver('shard1', {}), { code: 'failover-refused' });
  await t.rejects(operator.masters.rebase('shard1'), { code: 'rebase-refused' });
  await t.resolves(operator.masters.rebase('shard2'), 'another master may be steered meanwhile');
  resolve(planned);
  await first;
  await t.resolves(operator.masters.rebase('shard1'));
});

t.test('a failed order is reported, and allows the next one', async (t) => {
  const error = new SwitchmasterError('failover-stalled', 'no replica was promoted');
  const { operator, reports } = employ({ failOver: () => Promise.reject(error) });
  await t.rejects(operator.masters.failOver('shard1', {}), { code: 'failover-stalled' });
  t.match(reports, [{ loop: 'failover', outcome: { kind: 'failed', error: { code: 'failover-stalled' } } }]);
  await t.resolves(operator.masters.rebase('shard1'));
});

t.test('a failover of a cluster is reported as such, also beside one of a master with the same name', async (t) => {
  const { promise, resolve } = Promise.withResolvers<typeof planned>();
  const { from, to } = planned;
  const answer = { name: 'shard1', from, to, epoch: 7, stages: {}, withoutWritesMs: 9 };
  const { operator, reports, steps } = employ(
    { failOver: () => promise },
    {
      failOver: async (_name, { onStep }) => {
        onStep?.('ordered', 2);
        return { ...answer, offsets: { paused: null, inherited: 5 } };
      },
      previewFailover: async () => Promise.reject(new Error('it was not asked for')),
    },
  );
  const master = operator.masters.failOver('shard1', {});
  t.match(await operator.clusters.failOver('shard1', { node: to }), answer);
  t.match(reports, [{ loop: 'cluster-failover', key: 'shard1', outcome: { details: { cause: 'planned', epoch: 7 } } }]);
  t.match(steps, [{ outcome: { summary: 'the replica was ordered to take over (2 ms)' } }]);
  resolve(planned);
  await master;
});

t.test('a node without a bridge refuses orders', async (t) => {
  const { operator } = employ(undefined);
  await t.rejects(operator.clusters.failOver('sessions', { node: planned.to }), { code: 'not-found' });
  await t.rejects(operator.masters.failOver('shard1', {}), { code: 'not-found' });
});
