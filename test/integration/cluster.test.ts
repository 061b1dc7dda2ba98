import { Cluster } from 'ioredis';
import t, { type Test } from 'tap';
import { formatAddress } from '../../lib/model/address.ts';
import { waitFor } from '../sandbox/condition.ts';
import type { RedisServer } from '../sandbox/redis.ts';
import { Sandbox } from '../sandbox/sandbox.ts';
import {
  addressesOf,
  clusterRecordOf,
  idOf,
  mastersOf,
  meet,
  moveSlots,
  startCluster,
  startFollower,
  untilRecord,
  viewOf,
} from './clustering.ts';
import { instanceOf, instancesOf, startRegistrar } from './registering.ts';

t.setTimeout(180_000);
const sandbox = await Sandbox.openFor(t, { name: 'cluster' });
const [consul, cluster] = await Promise.all([sandbox.consul(), startCluster(sandbox, { name: 'sessions', spares: 2 })]);
const [a, b, c, ra, rb, rc, spare, spareReplica] = cluster.nodes as [
  RedisServer,
  RedisServer,
  RedisServer,
  RedisServer,
  RedisServer,
  RedisServer,
  RedisServer,
  RedisServer,
];
const name = 'sessions';

// Two followers, one by seeds and one by the service, and a registrar for all nodes.
const followers = [
  startFollower(t, { consul, id: 'seeds', clusters: [{ name, seeds: [a.address] }] }),
  startFollower(t, { consul, id: 'service', clusters: [{ name, seeds: [], service: 'redis-cluster' }] }),
];
startRegistrar(t, {
  consul,
  instances: cluster.nodes.map(({ address }) => ({ kind: 'cluster', name, address }) as const),
});

/** `role` of each node by its tags in the catalog. */
async function tagged(role: 'master' | 'replica'): Promise<readonly string[]> {
  const instances = await instancesOf(consul, 'redis-cluster');
  return instances
    .filter(({ Service }) => Service.Tags.includes(role))
    .map(({ Service }) => formatAddress({ host: Service.Address, port: Service.Port }))
    .sort();
}

function untilTagged(role: 'master' | 'replica', servers: readonly RedisServer[]): Promise<unknown> {
  return waitFor(`the tags to show ${role}s`, () => tagged(role), {
    until: (addresses) => addresses.join() === addressesOf(servers).join(),
  });
}

/** Writes through a client that knows nothing but Consul's DNS, and counts what was acknowledged. */
async function startWriter(t: Test) {
  const found = await waitFor('nodes in DNS', () => consul.dnsSrv('sessions.redis-cluster.service.consul'), {
    // Over UDP Consul answers with three of them at most (dns_config.udp_answer_limit).
    until: (answers) => answers.length > 0,
  });
  const seeds = await Promise.all(
    found.map(async ({ target, port }) => ({ host: (await consul.dnsA(target))[0] ?? '', port })),
  );
  let writing = true;
  const client = new Cluster(seeds, {
    redisOptions: { connectTimeout: 1_000 },
    slotsRefreshTimeout: 2_000,
    clusterRetryStrategy: () => 50,
  });
  client.on('error', () => {});
  t.teardown(() => {
    writing = false;
    client.disconnect();
  });
  const acknowledged = new Set<string>();
  const run = (async () => {
    for (let i = 0; writing; i += 1) {
      const key = `key:${i}`;
      try {
        await client.set(key, String(i));
        acknowledged.add(key);
      } catch {
        // Not acknowledged: the application would try again.
      }
    }
  })();
  return {
    acknowledged,
    /** Answers the keys that were acknowledged and are gone. */
    async stop(): Promise<readonly string[]> {
      writing = false;
      await run;
      const lost: string[] = [];
      for (const key of acknowledged) if ((await client.get(key)) === null) lost.push(key);
      client.disconnect();
      return lost;
    },
  };
}

t.test('the record holds every shard, and the nodes answer in DNS by their roles', async (t) => {
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
  await untilTagged('master', [a, b, c]);
  await untilTagged('replica', [ra, rb, rc]);
  t.strictSame(
    (await consul.dnsA('master.redis-cluster.service.consul')).join(),
    [a, b, c]
      .map(({ address }) => address.host)
      .sort()
      .join(),
  );
  t.match((await instanceOf(consul, `cluster-${formatAddress(a.address)}`))?.Service.Meta, {
    slots: '0-5461',
    role: 'master',
  });
});

t.test('a manual failover is followed, and loses no acknowledged write', async (t) => {
  const writer = await startWriter(t);
  await waitFor('writes', () => writer.acknowledged.size > 500);
  await rb.command('CLUSTER', 'FAILOVER');
  await untilRecord(consul, name, {
    what: 'the new master',
    until: (r) => mastersOf(r).includes(formatAddress(rb.address)),
  });
  await untilTagged('master', [a, c, rb]);
  const before = writer.acknowledged.size;
  await waitFor('writes after it', () => writer.acknowledged.size > before + 500);
  t.strictSame(await writer.stop(), []);
});

t.test('a node is added, 1,000 slots move to it under writes, and it is removed again', async (t) => {
  const writer = await startWriter(t);
  await meet(a, spare);
  await untilRecord(consul, name, {
    what: 'a master without slots',
    until: ({ shards }) =>
      shards.some(({ slots, master }) => slots.length === 0 && master?.host === spare.address.host),
  });
  await meet(a, spareReplica);
  await waitFor('it to be known', () => spareReplica.command('CLUSTER', 'NODES'), {
    until: (nodes) => String(nodes).split('\n').length > 8,
  });
  await waitFor('it to replicate', async () => spareReplica.command('CLUSTER', 'REPLICATE', await idOf(spare)), {
    until: (reply) => reply === 'OK',
  });
  // A node that was just met takes nothing before it knows the whole map, for two seconds or so.
  await waitFor('it to be ready', () => viewOf(spare), { until: ({ state }) => state === 'ok' });
  const slots = Array.from({ length: 1_000 }, (_, i) => i);
  await moveSlots({ from: a, to: spare, slots });
  const record = await untilRecord(consul, name, {
    what: 'the moved slots',
    until: ({ shards }) =>
      shards.some(({ slots: [first], master }) => first?.to === 999 && master?.host === spare.address.host),
  });
  t.strictSame(record?.uncovered, []);
  await untilRecord(consul, name, {
    what: 'its replica',
    until: ({ shards }) =>
      shards.some(({ replicas }) => replicas.some(({ host }) => host === spareReplica.address.host)),
  });
  await untilTagged('master', [a, c, rb, spare]);
  await moveSlots({ from: spare, to: a, slots });
  for (const node of [spareReplica, spare]) {
    const id = await idOf(node);
    await Promise.all(
      [a, b, c, ra, rb, rc].map((other) => other.command('CLUSTER', 'FORGET', id).catch(() => undefined)),
    );
    await node.command('CLUSTER', 'RESET', 'HARD').catch(() => undefined);
  }
  await untilRecord(consul, name, {
    what: 'three shards again',
    until: (r) => r.shards.length === 3 && mastersOf(r).join() === addressesOf([a, c, rb]).join(),
  });
  t.ok(writer.acknowledged.size > 1_000);
  t.strictSame(await writer.stop(), []);
});

t.test('a killed master is followed, and its return too', async (t) => {
  const { epoch = 0 } = (await clusterRecordOf(consul, name)) ?? {};
  await c.kill();
  const record = await untilRecord(consul, name, {
    what: 'the promoted replica',
    until: (r) => mastersOf(r).join() === addressesOf([a, rb, rc]).join(),
  });
  t.ok((record?.epoch ?? 0) > epoch);
  await untilTagged('master', [a, rb, rc]);
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

t.test('slots that nobody serves are shown', async (t) => {
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

t.test('one follower wrote each change, and a still cluster costs no write', async (t) => {
  const record = await consul.get<{ ModifyIndex: number }[]>(`/v1/kv/redis/cluster/${name}`);
  const counts = followers.map(({ reports }) => reports.length);
  await waitFor('ten more looks each', () =>
    followers.every(({ reports }, i) => reports.length > (counts[i] ?? 0) + 10),
  );
  t.strictSame(await consul.get(`/v1/kv/redis/cluster/${name}`), record);
  const failed = followers.flatMap(({ reports }) => reports).filter(({ outcome }) => outcome.kind === 'failed');
  t.strictSame(failed, []);
});
