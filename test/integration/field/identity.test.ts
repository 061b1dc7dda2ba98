import { readFileSync } from 'node:fs';
import t from 'tap';
import { type Address, formatAddress } from '../../../lib/model/address.ts';
import { formatClusterRecord } from '../../../lib/model/cluster.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { RedisServer } from '../../sandbox/redis.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { only } from '../support/bridging.ts';
import { addressesOf, mastersOf, startCluster, startFollower, untilRecord } from '../support/clustering.ts';
import {
  idOf,
  instanceOf,
  makeInstance,
  putRecordOf,
  replicaOf,
  startRegistrar,
  untilSays,
} from '../support/registering.ts';

/* One process with several names: Sentinels that announce hostnames, addresses, or some of them one and some the other. */

t.setTimeout(240_000);
const sandbox = await Sandbox.openFor(t, { name: 'field-identity' });
const consul = await sandbox.consul();

/** A name to Redis, Sentinel and Node, because they do not write addresses so. Every machine's resolver knows it. */
function nameOf({ host, port }: Address): Address {
  const [first, second, ...rest] = host.split('.');
  return { host: [first, `0x${Number(second).toString(16)}`, ...rest].join('.'), port };
}

t.test('the only master, which Sentinels know by a hostname, is registered as the master by its address', async (t) => {
  const shard = await sandbox.redis({ name: 'named', replicas: 0 });
  const { master } = shard;
  await putRecordOf(consul, { name: 'named', master: nameOf(master.address) });
  startRegistrar(t, { consul, instances: [{ kind: 'redis', name: 'named', address: master.address }] });
  await untilSays(consul, idOf(master), 'passing: answers');
  t.strictSame((await instanceOf(consul, idOf(master)))?.Service.Tags, ['named', 'master']);
  await master.kill();
  await untilSays(consul, idOf(master), 'critical: refuses connections');
  t.strictSame((await instanceOf(consul, idOf(master)))?.Service.Tags, ['named', 'master'], 'it stays the master');
  await putRecordOf(consul, { name: 'named', master: await sandbox.address(), epoch: 2 });
  await waitFor(
    'its role to be unknown, because the new master proves nothing',
    () => instanceOf(consul, idOf(master)),
    {
      until: (one) => one?.Service.Tags.join() === 'named',
    },
  );
});

t.test('a former master that the record does not list is a replica if another process is the master', async (t) => {
  const [former, current] = await Promise.all([
    sandbox.redis({ name: 'former', replicas: 0 }),
    sandbox.redis({ name: 'current', replicas: 0 }),
  ]);
  await putRecordOf(consul, { name: 'former', master: nameOf(current.master.address) });
  startRegistrar(t, { consul, instances: [{ kind: 'redis', name: 'former', address: former.master.address }] });
  const id = idOf(former.master);
  await untilSays(consul, id, 'critical: answers as a master, but the record has it as a replica');
  const reason = 'the record has another address as the master, which cannot be asked for its run_id';
  await putRecordOf(consul, { name: 'former', master: await sandbox.address(), epoch: 2 });
  await untilSays(consul, id, `warning: answers as a master, but ${reason}`);
  t.strictSame((await instanceOf(consul, id))?.Service.Tags, ['former']);
  await putRecordOf(consul, { name: 'former', master: current.master.address, epoch: 3 });
  await untilSays(consul, id, 'critical: answers as a master, but the record has it as a replica');
  await current.master.command('CONFIG', 'SET', 'requirepass', 'secret');
  await putRecordOf(consul, { name: 'former', master: nameOf(current.master.address), epoch: 4 });
  await untilSays(consul, id, `warning: answers as a master, but ${reason}`);
});

t.test('discovery finds the instances of this node in a record of hostnames', async (t) => {
  const shard = await sandbox.redis({ name: 'found', replicas: 1 });
  const [named, replica] = [nameOf(shard.master.address), nameOf(replicaOf(shard).address)];
  const other = { host: 'not-there.invalid', port: 6379 };
  await putRecordOf(consul, { name: 'found', master: named, replicas: [other, replica] });
  const { id: _, address: __, origin: ___, ...pattern } = makeInstance({ kind: 'redis', address: named }).spec;
  startRegistrar(t, {
    consul,
    instances: [],
    discoveries: [{ discovery: { pattern, hosts: [], matches: (name) => name === 'found' }, access: {} }],
    nodeHosts: [shard.master.address.host],
  });
  const id = `redis-${formatAddress(named)}`;
  await untilSays(consul, id, 'passing: answers');
  t.strictSame((await instanceOf(consul, id))?.Service.Tags, ['found', 'master']);
  t.notOk(await instanceOf(consul, `redis-${formatAddress(replica)}`), 'the replica is on another node');
});

t.test('nodes of a cluster have their roles by their hostnames and by their addresses', async (t) => {
  const name = 'spelled';
  const configs = ['ip', 'hostname'].map((preferred, i) => ({
    'cluster-announce-hostname': `node-${i}.example`,
    'cluster-preferred-endpoint-type': preferred,
  }));
  const { nodes } = await startCluster(sandbox, { name, masters: 1, configs });
  const byAddress = nodes.map(({ address }) => address);
  const byName = byAddress.map(({ port }, i) => ({ host: `node-${i}.example`, port }));
  // The second node answers with hostnames, and its config has an address that no record has.
  const asked = byAddress.map((address, i) => (i === 0 ? address : nameOf(address)));
  startRegistrar(t, { consul, instances: asked.map((address) => ({ kind: 'cluster', name, address }) as const) });
  const tags = () =>
    Promise.all(
      asked.map(async (at) => (await instanceOf(consul, `cluster-${formatAddress(at)}`))?.Service.Tags.join()),
    );
  const author = { changedAt: new Date().toISOString(), changedBy: 'test' };
  const slots = [{ from: 0, to: 16_383 }];
  for (const [master, replica] of [byName, byAddress] as [Address, Address][]) {
    const shards = [{ slots, master, replicas: [replica] }];
    const record = { version: 1, name, epoch: 1, state: 'ok', uncovered: [], shards, ...author } as const;
    await consul.putKey(`redis/cluster/${name}`, formatClusterRecord(record));
    await waitFor(`the roles by ${master.host}`, tags, {
      until: ([one, two]) => one === 'spelled,master' && two === 'spelled,replica',
    });
    await consul.delete(`/v1/kv/redis/cluster/${name}`);
    await waitFor('no roles', tags, { until: (all) => all.every((one) => one === 'spelled') });
  }
});

t.test('a cluster whose nodes list each other by addresses and by hostnames has one record, which stays', async (t) => {
  const name = 'mixed';
  const configs = ['ip', 'hostname', 'unknown-endpoint', 'ip', 'hostname', 'unknown-endpoint'].map((preferred, i) => ({
    'cluster-announce-hostname': i === 2 ? '""' : `node-${i}.invalid`,
    'cluster-preferred-endpoint-type': preferred,
  }));
  const { nodes } = await startCluster(sandbox, { name, configs });
  const [first] = nodes as [RedisServer];
  const follower = startFollower(t, { consul, clusters: [{ name, seeds: [first.address] }] });
  const wanted = addressesOf(nodes.slice(0, 3));
  const record = await untilRecord(consul, name, {
    what: 'every master by its address',
    until: (one) =>
      mastersOf(one).join() === wanted.join() && one.shards.every(({ replicas }) => replicas.length === 1),
  });
  t.strictSame(
    record?.shards.flatMap(({ replicas }) => replicas.map(formatAddress)).sort(),
    addressesOf(nodes.slice(3)),
  );
  const followed = () =>
    follower.part
      .list()
      .flatMap((cluster) => cluster.nodes.map(formatAddress))
      .sort();
  await waitFor('one connection to each node', async () => followed(), {
    until: (all) => all.join() === addressesOf(nodes).join(),
  });
  // Which node answers first makes no difference.
  await waitFor('ten runs in a row without a change', async () => follower.reports.slice(-10), {
    until: (runs) => runs.length === 10 && runs.every(({ outcome }) => outcome.kind === 'unchanged'),
  });
});

t.test('a Redis at an IPv6 address is recorded, registered and rendered', async (t) => {
  const { master } = await sandbox.redis({ name: 'six', replicas: 0 });
  const { host, port } = master.address;
  await master.command('CONFIG', 'SET', 'bind', `${host} ::1`);
  const sentinel = only(
    await sandbox.sentinels({ name: 'six-sentinel', count: 1, masters: [], config: { 'bind-source-addr': '""' } }),
  );
  await sentinel.command('SENTINEL', 'MONITOR', 'six', '::1', port, 1);
  await sandbox.localDaemon({
    config: {
      consul: { address: consul.url },
      register: [{ kind: 'redis', name: 'six', address: `[0:0:0:0:0:0:0:1]:${port}`, announce: `[::1]:${port}` }],
      sentinel: { addresses: [formatAddress(sentinel.address)], masters: ['six'] },
      templates: [
        {
          source: 'haproxy.cfg.hbs',
          destination: sandbox.path('haproxy.cfg'),
          vars: { bind: sandbox.host(), stats_socket: sandbox.path('admin.sock'), ports: { six: 20_001 } },
          check: ['haproxy', '-c', '-f', '{{file}}'],
        },
        {
          source: 'twemproxy.yml.hbs',
          destination: sandbox.path('twemproxy.yml'),
          check: ['nutcracker', '--test-conf', '--conf-file', '{{file}}'],
        },
      ],
    },
  });
  t.equal(await consul.key('redis/master/six'), `[::1]:${port}`);
  const id = `redis-[::1]:${port}`;
  await waitFor('its checks to pass', () => instanceOf(consul, id), {
    until: (one) => one?.Checks.every(({ Status }) => Status === 'passing') === true,
  });
  t.strictSame((await instanceOf(consul, id))?.Service.Tags, ['six', 'master']);
  t.match(readFileSync(sandbox.path('haproxy.cfg'), 'utf8'), `server master [::1]:${port} check`);
  t.match(readFileSync(sandbox.path('twemproxy.yml'), 'utf8'), `::1:${port}:1 six`);
});
