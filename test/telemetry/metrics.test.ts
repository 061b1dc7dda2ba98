import t from 'tap';
import { makeReason } from '../../lib/model/health.ts';
import { Metrics, type MetricsView } from '../../lib/telemetry/metrics.ts';
import { emptyView } from './empty-view.ts';
import { exampleReport } from './report.ts';

const view: MetricsView = {
  ...emptyView,
  clusters: [
    {
      name: 'sessions',
      record: {
        state: 'fail',
        epoch: 12,
        uncovered: [
          { from: 0, to: 9 },
          { from: 20, to: 20 },
        ],
      },
    },
    { name: 'unseen', record: null },
  ],
  instances: [
    { id: 'redis-1', check: { status: 'critical' } },
    { id: 'redis-2', check: null },
  ],
  consul: { reached: false, outageMs: 12_300 },
  configCurrent: false,
  masters: [
    {
      name: 'shard1',
      record: { epoch: 7, generation: 1 },
      check: { status: 'warning' },
      maintenance: {},
      isolation: { writes: 'paused' },
      sentinelsSeen: 3,
      sentinelsAgreeing: 2,
      replicas: 2,
      replicasWell: 1,
    },
    {
      name: 'shard2',
      record: null,
      check: null,
      maintenance: null,
      isolation: null,
      sentinelsSeen: 0,
      sentinelsAgreeing: 0,
      replicas: 0,
      replicasWell: 0,
    },
  ],
  templates: [
    { name: 'a', state: 'current' },
    { name: 'b', state: 'failed' },
    { name: 'c', state: 'current' },
  ],
  problems: [
    ...['10.0.0.5:6379', '10.0.0.6:6379'].map((address) =>
      makeReason({ code: 'redis-denied', subject: { kind: 'master', name: 'shard1', address }, text: 'NOAUTH' }),
    ),
    makeReason({ code: 'master-settling', subject: { kind: 'master', name: 'shard2' }, text: 'It waits.' }),
  ],
  watches: 4,
  ready: true,
  eventStreams: 1,
  logLinesLost: 3,
  lastRuns: [{ loop: 'bridge', key: 'shard1', failures: 2, succeededAtSeconds: 1_700_000_000 }],
};

t.test('runs are counted and timed, and the stages of a change with its cause', async (t) => {
  const metrics = new Metrics({ version: '1.2.3', view: () => view });
  const details = { cause: 'failover', stages: { observedMs: 2, committedMs: 4 } };
  metrics.observe(exampleReport({ kind: 'applied', summary: 'moved', details }));
  metrics.observe(exampleReport({ kind: 'unchanged', details: { prepared: 'unused' } }));
  const { body, contentType } = await metrics.text();
  t.match(contentType, /^text\/plain/);
  for (const line of [
    'switchmaster_build_info{version="1.2.3",node="',
    'switchmaster_reconciles_total{loop="bridge",result="applied"} 1',
    'switchmaster_reconciles_total{loop="bridge",result="unchanged"} 1',
    'switchmaster_reconcile_duration_seconds_count{loop="bridge",result="applied"} 1',
    'switchmaster_stage_seconds_sum{loop="bridge",cause="failover",stage="committed"} 0.004',
    'switchmaster_prepared_files_total{result="used"} 0',
    'switchmaster_prepared_files_total{result="unused"} 1',
    'switchmaster_log_lines_lost_total 3',
    'switchmaster_record_epoch{master="shard1"} 7',
    'switchmaster_master_check{master="shard1"} 1',
    'switchmaster_isolated{master="shard1"} 1',
    'switchmaster_sentinels_seen{master="shard2"} 0',
    'switchmaster_sentinels_agreeing{master="shard1"} 2',
    'switchmaster_problem{code="redis-denied",subject="master/shard1",level="warning"} 1',
    'switchmaster_templates{template="a",state="current"} 1',
    'switchmaster_templates{template="b",state="failed"} 1',
    'switchmaster_watches 4',
    'switchmaster_ready 1',
    'switchmaster_replicas{master="shard1"} 2',
    'switchmaster_replicas_well{master="shard1"} 1',
    'switchmaster_cluster_epoch{cluster="sessions"} 12',
    'switchmaster_cluster_ok{cluster="sessions"} 0',
    'switchmaster_cluster_slots_uncovered{cluster="sessions"} 11',
    'switchmaster_instance_check{instance="redis-1"} 2',
    'switchmaster_consul_reached 0',
    'switchmaster_consul_unreachable_seconds_total 12.3',
    'switchmaster_config_current 0',
    'switchmaster_failures_in_a_row{loop="bridge",key="shard1"} 2',
    'switchmaster_last_success_timestamp_seconds{loop="bridge",key="shard1"} 1700000000',
  ]) {
    t.ok(body.includes(line), line);
  }
  t.notMatch(body, /switchmaster_record_epoch\{master="shard2"\}/);
  t.notMatch(body, /switchmaster_replicas\{master="shard2"\}|unseen|redis-2/);
  t.notMatch(body, /master-settling/, 'a note is no problem');
});

t.test('the series of a removed master ends', async (t) => {
  let current = view;
  const metrics = new Metrics({ version: '1', view: () => current });
  t.match((await metrics.text()).body, /master="shard1"/);
  current = { ...view, masters: [], problems: [], lastRuns: [] };
  t.notMatch((await metrics.text()).body, /shard1/);
});

t.test('every metric has a help text, a conventional name and a bounded set of labels', async (t) => {
  const metrics = new Metrics({ version: '1', view: () => view });
  const own = (await metrics.registry.getMetricsAsJSON()).filter(({ name }) => name.startsWith('switchmaster_'));
  t.ok(own.length > 10);
  for (const { name, help, type } of own) {
    t.ok(help.length > 10, name);
    t.equal(String(type) === 'counter', name.endsWith('_total'), name);
  }
});
