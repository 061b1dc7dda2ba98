import t from 'tap';
import { formatAddress } from '../../../lib/model/address.ts';
import { slotCount } from '../../../lib/model/cluster.ts';
import { runCommand } from '../../cmd/command.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';

/* What the API has of a cluster and of a node's own instances, on real software. */
// A busy machine takes its time.
t.setTimeout(240_000);
const sandbox = await Sandbox.openFor(t, { name: 'topology' });
const [consul, node] = await Promise.all([
  sandbox.consul(),
  sandbox.redis({
    name: 'node',
    replicas: 0,
    config: { 'cluster-enabled': 'yes', 'cluster-require-full-coverage': 'no' },
  }),
]);
await node.master.command('CLUSTER', 'ADDSLOTSRANGE', 0, slotCount - 2);
const address = formatAddress(node.master.address);
const daemon = await sandbox.switchmaster({
  config: {
    consul: { address: consul.url },
    register: [{ kind: 'cluster', name: 'sessions', address }],
    cluster: [{ name: 'sessions', seeds: [address], resync: '200ms' }],
  },
});
const status = async (path: string): Promise<number> => (await daemon.get(path)).status;

t.test('a cluster with an uncovered slot fails the check until the slot is served', async (t) => {
  const url = `/check/cluster?name=sessions&address=${address}&role=master`;
  t.equal(await status(url), 503);
  t.match((await daemon.get('/v1/clusters/sessions')).body, {
    record: { uncovered: [{ from: slotCount - 1, to: slotCount - 1 }] },
  });
  await node.master.command('CLUSTER', 'ADDSLOTS', slotCount - 1);
  await waitFor('the cluster to serve', () => status(url), { until: (code) => code === 200 });
  t.match((await daemon.get('/v1/clusters')).body, {
    clusters: [{ name: 'sessions', record: { state: 'ok', shards: [{ master: node.master.address }] } }],
  });
  t.equal(await status(`${url.replace('master', 'replica')}`), 503);
});

t.test('status draws the cluster with its slots, and what runs here', async (t) => {
  await waitFor('the instance to be well', async () => (await daemon.get('/v1/instances')).body, {
    until: (body) => JSON.stringify(body).includes('"status":"passing"'),
  });
  const { code, stdout, stderr } = await runCommand(['status', '--api', `http://${formatAddress(daemon.api)}`]);
  t.equal(code, 1, stderr);
  t.match(stdout, `sessions  cluster  ok  epoch `);
  t.match(stdout, '1 of 1 shards has no replica.  [cluster-without-replica]');
  t.match(stdout, `└─ slots 0-16383  ${address}`);
  t.match(stdout, `cluster ${address} of sessions, master`);
});

t.test("the node's own instances have their checks", async (t) => {
  t.match((await daemon.get('/v1/instances')).body, {
    instances: [{ kind: 'cluster', name: 'sessions', address: node.master.address, role: 'master' }],
  });
});

t.test(
  'a Consul that hangs is a state with a time, a metric and an exit code, and an entry of the journal',
  async (t) => {
    const health = async () =>
      (await daemon.get('/v1/health')).body as { reasons: readonly { code: string; text: string }[] };
    const isLost = async () => (await health()).reasons.some(({ code }) => code === 'consul-unreachable');
    const beforeMs = Date.now();
    consul.pause();
    await waitFor('the silence to be noticed', isLost, { timeoutMs: 30_000 });
    const { reasons } = await health();
    const text = reasons.find(({ code }) => code === 'consul-unreachable')?.text ?? '';
    const sinceMs = Date.parse(/since (\S+): /.exec(text)?.[1] ?? '');
    t.ok(sinceMs >= beforeMs - 1_000 && sinceMs <= Date.now() - 3_000, text);
    const metrics = String((await daemon.get('/metrics')).body);
    t.match(metrics, /^switchmaster_consul_reached 0$/m);
    t.match(
      metrics,
      /^switchmaster_problem\{code="consul-unreachable",subject="consul\/consul",level="critical"\} 1$/m,
    );
    t.match(await runCommand(['status', '--api', `http://${formatAddress(daemon.api)}`]), {
      code: 1,
      stdout: /critical {2}consul: Consul cannot be read since .*\[consul-unreachable\]\n {4}\$ consul members/,
    });
    consul.resume();
    await waitFor('Consul to be read again', isLost, { until: (lost) => !lost, timeoutMs: 30_000 });
    const history = async () => (await daemon.get('/v1/history?loop=consul')).body as { entries: unknown[] };
    t.match(await waitFor('the entry', history, { until: ({ entries }) => entries.length > 1 }), {
      entries: [
        { kind: 'applied', summary: /again, after [0-9.]+ s/ },
        { kind: 'failed', error: { code: 'consul-unreachable' } },
      ],
    });
  },
);
