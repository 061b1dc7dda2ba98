import t, { type Test } from 'tap';
import { formatAddress } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { redisCli } from '../../sandbox/resp.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { failOver, only, readRecord, recordOf, startBridge } from '../support/bridging.ts';

t.setTimeout(180_000);
const sandbox = await Sandbox.openFor(t, { name: 'removed-master' });
const names = ['removed', 'unmonitored', 'unrecorded', 'unreachable'];
const consul = await sandbox.consul();
const shards = await Promise.all(names.map((name) => sandbox.redis({ name })));
const sentinels = await sandbox.sentinels({ masters: shards });
const bridge = startBridge(t, { consul, sentinels });

/** Every shard has had a failover, so each record names a former master. */
await Promise.all(
  shards.map(async (shard) => {
    await recordOf(consul, shard.name);
    await failOver(only(sentinels), shard.name);
    await recordOf(consul, shard.name, { master: only(shard.replicas), timeoutMs: 30_000 });
    await waitFor('the former master to follow', () => shard.master.role(), {
      until: (role) => role === 'replica',
      timeoutMs: 30_000,
    });
  }),
);

const everywhere = (...command: string[]) =>
  Promise.all(sentinels.map((sentinel) => sentinel.command('SENTINEL', ...command)));

const shardOf = (name: string) => only(shards.filter((shard) => shard.name === name));

/** Somebody makes the former master a master by hand. The bridge runs three times, and must leave it alone. */
async function isLeftAlone(t: Test, name: string) {
  const former = shardOf(name).master;
  const runs = () => bridge.reports.filter(({ key, loop }) => key === name && loop === 'bridge').length;
  const fences = () => bridge.fences.filter(({ address }) => address === formatAddress(former.address));
  const [ran, fenced] = [runs(), fences().length];
  await former.command('REPLICAOF', 'NO', 'ONE');
  bridge.part.wake(name, { source: 'test', event: 'look' });
  await waitFor('three runs of the bridge', runs, { until: (count) => count >= ran + 3, timeoutMs: 20_000 });
  t.strictSame(fences().slice(fenced), []);
  t.equal(await redisCli(former.address, ['SET', 'k', 'v'], { timeoutMs: 3_000 }), 'OK');
  t.equal(await former.role(), 'master');
}

t.test('a master that was removed from the Sentinels and from Consul is forgotten and left alone', async (t) => {
  const former = shardOf('removed').master;
  await everywhere('REMOVE', 'removed');
  await consul.delete('/v1/kv/redis/record/removed');
  await consul.delete('/v1/kv/redis/master/removed?recurse');
  await isLeftAlone(t, 'removed');
  await consul.put('/v1/catalog/deregister', { Node: 'redis-removed' });
  const { host, port } = former.address;
  await everywhere('MONITOR', 'removed', host, `${port}`, '2');
  const record = await recordOf(consul, 'removed', { master: former });
  t.match(record, { generation: 1, epoch: 0, previous: null, reason: 'first seen' });
});

t.test('a former master is left alone where no Sentinel monitors it and its record is there', async (t) => {
  await everywhere('REMOVE', 'unmonitored');
  await isLeftAlone(t, 'unmonitored');
  t.match(await readRecord(consul, 'unmonitored'), { master: only(shardOf('unmonitored').replicas).address });
});

t.test('a record that was deleted alone comes back, and the former master is demoted', async () => {
  const former = shardOf('unrecorded').master;
  await consul.delete('/v1/kv/redis/record/unrecorded');
  await recordOf(consul, 'unrecorded', { until: ({ reason }) => reason.startsWith('restored') });
  await former.command('REPLICAOF', 'NO', 'ONE');
  bridge.part.wake('unrecorded', { source: 'test', event: 'look' });
  const demoted = () =>
    bridge.fences.filter(({ action, address }) => action === 'demote' && address === formatAddress(former.address));
  await waitFor('the second demotion', demoted, { until: (list) => list.length >= 2, timeoutMs: 20_000 });
  await waitFor('the former master to follow', () => former.role(), { until: (role) => role === 'replica' });
});

t.test('a former master is left alone while no Sentinel answers', async (t) => {
  for (const sentinel of sentinels) sentinel.pause();
  const heard = () => bridge.part.masters.get('unreachable')?.sentinels ?? [];
  await waitFor('the bridge to hear no Sentinel', heard, {
    until: (votes) => votes.length > 0 && votes.every(({ state }) => state === 'unreachable'),
    timeoutMs: 20_000,
  });
  await isLeftAlone(t, 'unreachable');
  for (const sentinel of sentinels) sentinel.resume();
  await waitFor('the former master to follow', () => shardOf('unreachable').master.role(), {
    until: (role) => role === 'replica',
    timeoutMs: 30_000,
  });
});
