import t from 'tap';
import { judgeCluster } from '../../../lib/daemon/health/cluster.ts';
import { judgeMaintenance } from '../../../lib/daemon/health/maintenance.ts';
import { judgeMaster } from '../../../lib/daemon/health/master.ts';
import type { ClusterState } from '../../../lib/http/views.ts';
import type { Reason } from '../../../lib/model/health.ts';
import { brokenCluster, masterAt } from '../../http/page/world.ts';

const since = '2026-01-01T00:00:00.000Z';
const codesOf = (reasons: readonly Reason[]) =>
  reasons.map(({ code, level, subject: { kind, name } }) => `${level} ${code} ${kind}/${name}`);

const wholeCluster: ClusterState = {
  ...brokenCluster,
  record: { ...(brokenCluster.record as NonNullable<ClusterState['record']>), state: 'ok', uncovered: [], shards: [] },
};

t.test('a master that crashed, and no failover was ordered', async (t) => {
  const crash = { address: { host: '10.0.0.1', port: 7000 }, why: 'no replica answers', at: since };
  const nowMs = Date.parse('2026-01-02T00:00:00.000Z');
  const reasons = [
    ...judgeMaster({ master: { ...masterAt(1), crash }, lastOutcome: undefined, nowMs }),
    ...judgeCluster({ ...wholeCluster, crashes: [crash] }),
  ];
  t.strictSame(codesOf(reasons), ['critical master-crashed master/shard1', 'critical master-crashed cluster/sessions']);
  const text = '10.0.0.1:7000 has crashed. This node has ordered no failover: no replica answers.';
  t.match(reasons, [
    { text, hint: 'switchmaster why shard1' },
    { text, hint: 'switchmaster why sessions', subject: { address: '10.0.0.1:7000' } },
  ]);
});

t.test('maintenance of a cluster', async (t) => {
  const note = { by: 'ops', at: null, until: null, reason: null, endsAt: null, problem: null };
  const maintenance = ['sessions', 'elsewhere', null].map((master) => ({
    ...{ master, state: 'on' as const, ...note, text: 'in maintenance' },
  }));
  t.strictSame(codesOf(judgeMaintenance(maintenance, { masters: [], clusters: [wholeCluster] })), [
    'well maintenance cluster/sessions',
    'well maintenance part/maintenance',
  ]);
});
