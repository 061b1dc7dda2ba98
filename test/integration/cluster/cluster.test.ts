import { readFileSync } from 'node:fs';
import t from 'tap';
import type { Outcome } from '../../../lib/loop/outcome.ts';
import { formatAddress } from '../../../lib/model/address.ts';
import type { ClusterRecord } from '../../../lib/model/cluster.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { only } from '../support/bridging.ts';
import { failOverAsPlanned, growAndShrink, nodesOf, reshardedSlots, untilTagged } from '../support/cluster-changes.ts';
import {
  addressesOf,
  clusterRecordOf,
  mastersOf,
  startCluster,
  startFollower,
  untilRecord,
} from '../support/clustering.ts';
import { instanceOf, startRegistrar } from '../support/registering.ts';
import { makeFolder, startRendering } from '../support/rendering.ts';

t.setTimeout(600_000);
const sandbox = await Sandbox.openFor(t, { name: 'cluster' });
const [consul, cluster] = await Promise.all([sandbox.consul(), startCluster(sandbox, { name: 'sessions', spares: 2 })]);
const scene = { consul, cluster };
const [a, b, c, ra, rb, rc] = nodesOf(cluster);
const name = 'sessions';

// Two followers, one by seeds and one by the service, and a registrar for all nodes.
const followers = [
  startFollower(t, { consul, id: 'seeds', clusters: [{ name, seeds: [a.address] }] }),
  startFollower(t, { consul, id: 'service', clusters: [{ name, seeds: [], service: 'redis-cluster' }] }),
];
startRegistrar(t, {
  consul,
  instances: cluster.nodes.map(
    ({ address }) => ({ kind: 'cluster', name, address, checks: { intervalMs: 400 } }) as const,
  ),
});

t.test('the record has every shard, and DNS has the nodes by their roles', async (t) => {
  const record = await untilRecord(consul, name, { what: 'three shards', until: ({ shards }) => shards.length === 3 });
  t.match(record, { version: 1, name, state: 'ok', uncovered: [] });
  t.strictSame(
    record?.shards.map(({ slots, master, replicas }) => [slots, master, replicas]),
    [
      [[{ from: 0, to: 5461 }], a.address, [ra.address]],
      [[{ from: 5462, to: 10923 }], b.address, [rb.address]],
      [[{ from: 10924, to: 16383 }], c.address, [rc.address]],
    ],
  );
  await untilTagged(scene, { role: 'master', servers: [a, b, c] });
  await untilTagged(scene, { role: 'replica', servers: [ra, rb, rc] });
  // The checks of the nodes begin as critical, and may pass later than the tags show.
  const masters = [a, b, c].map(({ address }) => address.host).sort();
  await waitFor('the masters to be in DNS', () => consul.dnsA('master.redis-cluster.service.consul'), {
    until: (hosts) => hosts.join() === masters.join(),
    timeoutMs: 30_000,
  });
  t.match((await instanceOf(consul, `cluster-${formatAddress(a.address)}`))?.Service.Meta, {
    slots: '0-5461',
    role: 'master',
  });
});

t.test('a cluster of any name has one key, which templates read', async (t) => {
  const names = ['team/a', '..', 'a/../b', 'master'];
  const seeds = [a.address];
  const odd = startFollower(t, { consul, id: 'odd', clusters: names.map((one) => ({ name: one, seeds })) });
  for (const one of names)
    t.equal((await untilRecord(consul, one, { what: 'its shards', until: (r) => r.shards.length === 3 }))?.name, one);
  const template = names
    .map((one) => `{{#with (redisCluster "${one}")}}{{name}} {{shards.length}}\n{{/with}}`)
    .join('');
  const folder = makeFolder(t);
  const spec = { name: 'clusters', template, destination: `${folder}/clusters` };
  await startRendering(t, { consul, folder, specs: [spec], resyncMs: 60_000 }).until('current');
  t.equal(readFileSync(spec.destination, 'utf8'), names.map((one) => `${one} 3\n`).join(''));
  await odd.stop();
});

t.test('a planned failover promotes the chosen replica, and no acknowledged write is lost', (t) =>
  failOverAsPlanned(t, scene, only(followers).part),
);

t.test('a node is added, slots move to it under writes, and it is removed again', (t) =>
  growAndShrink(t, { ...scene, slots: reshardedSlots }),
);

t.test('the record follows the loss of a master, and its return', async (t) => {
  const { epoch = 0 } = (await clusterRecordOf(consul, name)) ?? {};
  await c.kill();
  const record = await untilRecord(consul, name, {
    what: 'the promoted replica',
    until: (r) => mastersOf(r).join() === addressesOf([a, rb, rc]).join(),
  });
  t.ok((record?.epoch ?? 0) > epoch);
  await untilTagged(scene, { role: 'master', servers: [a, rb, rc] });
  await c.start();
  await untilRecord(consul, name, {
    what: 'the old master as a replica',
    until: ({ shards }) => shards.some(({ replicas }) => replicas.some(({ host }) => host === c.address.host)),
  });
  await waitFor('it to pass', () => instanceOf(consul, `cluster-${formatAddress(c.address)}`), {
    until: (one) =>
      one?.Service.Tags.includes('replica') === true && one.Checks.every(({ Status }) => Status === 'passing'),
  });
});

t.test('the record shows slots that no master serves', async (t) => {
  await Promise.all([a.kill(), ra.kill()]);
  const record = await untilRecord(consul, name, {
    what: 'uncovered slots',
    until: ({ uncovered }) => uncovered.length > 0,
  });
  t.strictSame(record?.uncovered, [{ from: 0, to: 5461 }]);
  await Promise.all([a.start(), ra.start()]);
  await untilRecord(consul, name, {
    what: 'all slots, and every replica',
    until: ({ uncovered, state, shards }) =>
      uncovered.length === 0 && state === 'ok' && shards.every(({ replicas }) => replicas.length === 1),
  });
});

t.test('one follower writes each change, and an unchanged cluster causes no write', async (t) => {
  const indexOf = async () =>
    (await consul.get<{ ModifyIndex: number }[]>(`/v1/kv/redis/cluster/${name}`))?.[0]?.ModifyIndex;
  // On a busy machine nodes may consider each other dead and promote a replica. That changes the cluster.
  await waitFor(
    'ten polls of each follower without a write',
    async () => {
      const before = await indexOf();
      const counts = followers.map(({ reports }) => reports.length);
      await waitFor('ten more polls each', () =>
        followers.every(({ reports }, i) => reports.length > (counts[i] ?? 0) + 10),
      );
      return before !== undefined && before === (await indexOf());
    },
    { timeoutMs: 40_000 },
  );
  const written = followers.flatMap(({ reports }) => reports).flatMap(({ outcome }) => writtenBy(outcome));
  t.ok(written.length > 5);
  const contents = written
    .toSorted((a, b) => (a.changedAt < b.changedAt ? -1 : 1))
    .map(({ state, uncovered, shards }) => JSON.stringify({ state, uncovered, shards }));
  t.strictSame(
    contents.filter((content, i) => content === contents[i - 1]),
    [],
    'every write changed the record',
  );
  const failed = followers.flatMap(({ reports }) => reports).filter(({ outcome }) => outcome.kind === 'failed');
  t.strictSame(failed, []);
});

function writtenBy({ kind, details }: Outcome): readonly ClusterRecord[] {
  return kind === 'applied' ? [details?.record as ClusterRecord] : [];
}
