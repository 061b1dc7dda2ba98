import t from 'tap';
import { type Address, formatAddress } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { RedisServer } from '../../sandbox/redis.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { clusterRecordOf, mastersOf, startCluster, startFollower, untilRecord } from '../support/clustering.ts';

/* A cluster that waits for 15 s, and bridges that order a failover once the process of a master is gone. */
t.setTimeout(180_000);
const name = 'crashing';
const sandbox = await Sandbox.openFor(t, { name: 'cluster-crash' });
const config = { 'cluster-node-timeout': '15000', 'repl-diskless-sync-delay': '5', 'enable-debug-command': 'yes' };
const [consul, cluster] = await Promise.all([
  sandbox.consul(),
  startCluster(sandbox, { name, configs: Array.from({ length: 6 }, () => config) }),
]);
const [a, b, c, ra, rb, rc] = cluster.nodes as [
  RedisServer,
  RedisServer,
  RedisServer,
  RedisServer,
  RedisServer,
  RedisServer,
];
const onCrash = 'failover' as const;
const clusters = [{ name, seeds: [a.address], onCrash }];
const bridges = ['bridge-1', 'bridge-2'].map((id) => startFollower(t, { consul, id, clusters }));
const key = `redis/crash/cluster/${name}/`;

const crashes = () => bridges.flatMap(({ reports }) => reports).filter(({ loop }) => loop === 'cluster-crash');
/** The bridges beside the nodes, as soon as Consul lists them all. */
async function untilReady(): Promise<void> {
  await untilRecord(consul, name, { what: 'all shards', until: ({ shards }) => shards.length === 3 });
  await waitFor('the bridges in Consul', () => consul.get<string[]>(`/v1/kv/${key}bridge/?keys`), {
    until: (keys) => keys?.length === bridges.length,
  });
  await waitFor('each bridge to follow all nodes', () => bridges.map(({ part }) => part.list()[0]?.nodes.length), {
    until: (counts) => counts.every((count) => count === 6),
  });
}

async function untilMaster(server: RedisServer): Promise<void> {
  const role = async () => ((await server.command('ROLE')) as unknown[])[0];
  await waitFor(`${server.name} to be master`, role, { until: (said) => said === 'master', intervalMs: 5 });
}

/** A key that is in the slots of this node. */
async function keyOf(server: RedisServer): Promise<string> {
  for (let n = 0; n < 1_000; n += 1) {
    const answer = await server.command('SET', `key:${n}`, 'v').catch(() => undefined);
    if (answer === 'OK') return `key:${n}`;
  }
  throw new Error(`${server.name} accepts no write`);
}

const includes = (address: Address) => (record: Parameters<typeof mastersOf>[0]) =>
  mastersOf(record).includes(formatAddress(address));

t.test('nodes that live are not failed over, whatever happens to their connections', async (t) => {
  await untilReady();
  await a.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await b.command('DEBUG', 'SLEEP', 1);
  c.pause();
  // Longer than a bridge waits for an answer: it closes its own connection.
  const runs = () => bridges.map(({ reports }) => reports.length);
  const before = runs();
  await waitFor('four runs of each bridge', runs, { until: (all) => all.every((n, i) => n > (before[i] ?? 0) + 3) });
  c.resume();
  await waitFor('the master to answer', () => c.command('PING'), { until: (said) => said === 'PONG' });
  t.strictSame(crashes(), []);
});

t.test('a killed master is failed over long before the cluster finds it dead, by one bridge', async (t) => {
  await untilReady();
  const written = await keyOf(b);
  await b.command('WAIT', 1, 5_000);
  const startedMs = performance.now();
  await b.kill();
  await untilMaster(rb);
  const tookMs = performance.now() - startedMs;
  t.comment(`${Math.round(tookMs)} ms from the kill to the first ROLE master`);
  t.ok(tookMs < 10_000, 'the cluster waits for 15 s');
  await untilRecord(consul, name, { what: 'the replica as master', until: includes(rb.address) });
  t.equal(await rb.command('GET', written), 'v');
  const reports = await waitFor('the report of each bridge', crashes, { until: ({ length }) => length >= 2 });
  const [report, other, ...more] = reports.toSorted((a, b) => (a.outcome.kind < b.outcome.kind ? -1 : 1));
  t.strictSame(more, []);
  t.match(other?.outcome, { kind: 'fenced', details: { end: 'ordered-elsewhere', bridges: [{ sees: 'crash' }, {}] } });
  t.match(report, {
    key: name,
    outcome: {
      kind: 'applied',
      summary: `${formatAddress(b.address)} has crashed: its host refuses connections. Ordered ${formatAddress(rb.address)} to take over`,
      details: {
        cause: 'crash',
        stages: { provenMs: Number, orderedMs: Number },
        bridges: [{ sees: 'crash' }, { sees: 'crash' }],
        replicas: [{ link: 'down', offset: Number }],
      },
    },
  });
  const last = JSON.parse((await consul.key(`${key}order/${formatAddress(b.address)}`)) ?? '{}');
  t.match(last, { orderedBy: /^bridge-/, sign: 'refused', replica: formatAddress(rb.address) });
  await b.start();
  await waitFor('the former master as a replica', () => b.command('ROLE'), {
    until: (role) => Array.isArray(role) && role[3] === 'connected',
    timeoutMs: 60_000,
  });
});

t.test('in maintenance of the cluster nothing is ordered; after it, the crash is judged again', async (t) => {
  const [first] = bridges as [(typeof bridges)[number]];
  const unordered = () => bridges.map(({ part }) => part.list()[0]?.crashes ?? []);
  await untilReady();
  await waitFor('the bridges to have the new master', () => bridges.map(({ part }) => part.list()[0]?.record), {
    until: (records) => records.every((record) => record !== undefined && includes(rb.address)(record ?? undefined)),
  });
  await first.maintenance.order({ state: 'on', scope: name, by: 'ops@test' });
  await waitFor('both to have it', () => bridges.map(({ maintenance }) => maintenance.whyNot(name)), {
    until: (reasons) => reasons.every((reason) => reason !== undefined),
  });
  await rb.kill();
  await waitFor('both to show the crash', unordered, { until: (lists) => lists.every(({ length }) => length === 1) });
  t.match(unordered(), [
    [{ address: rb.address, why: /^crashing is in maintenance: by ops@test/ }],
    [{ address: rb.address, why: /^crashing is in maintenance/ }],
  ]);
  t.equal(await b.role(), 'replica');
  await first.maintenance.order({ state: 'off', scope: name, by: 'ops@test' });
  await untilMaster(b);
  await waitFor('the crash to be over', unordered, { until: (lists) => lists.every(({ length }) => length === 0) });
  await rb.start();
});

t.test('a master that comes back empty before the proof does not make its replicas empty', async (t) => {
  await Promise.all(bridges.map((bridge) => bridge.stop()));
  const patient = startFollower(t, {
    consul,
    id: 'patient',
    clusters: [{ ...clusters[0], name, seeds: [c.address], crashAfterMs: 20_000 }],
  });
  await waitFor('the bridge to be the only one', () => consul.get<string[]>(`/v1/kv/${key}bridge/?keys`), {
    until: (keys) => keys?.length === 1,
    timeoutMs: 60_000,
  });
  await waitFor('it to follow all nodes', () => patient.part.list()[0]?.nodes.length, { until: (n) => n === 6 });
  const written = await keyOf(c);
  await c.command('WAIT', 1, 5_000);
  await c.kill();
  await c.start();
  await untilMaster(rc);
  t.equal(await rc.command('GET', written), 'v');
  const [report] = await waitFor('the report', () => patient.reports.filter(({ loop }) => loop === 'cluster-crash'), {
    until: ({ length }) => length > 0,
  });
  t.match(report?.outcome, { kind: 'applied', details: { sign: { kind: 'emptied', keys: 0 } } });
  t.notOk(includes(ra.address)(await clusterRecordOf(consul, name)));
});
