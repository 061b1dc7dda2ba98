import t from 'tap';
import { formatAddress } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { only, readRecord, recordOf, startBridge } from '../support/bridging.ts';

const sandbox = await Sandbox.openFor(t, { name: 'unlisted' });

/** A shard with its Sentinels, and the Redis of another application with data of its own. */
async function start(name: string) {
  const [consul, shard, other] = await Promise.all([
    sandbox.consul({ name: `${name}-consul` }),
    sandbox.redis({ name }),
    sandbox.redis({ name: `${name}-other`, replicas: 0 }),
  ]);
  const sentinels = await sandbox.sentinels({ name: `${name}-sentinel`, masters: [shard], downAfterMs: 10_000 });
  await other.master.command('SET', 'mine', 'kept');
  return { name, consul, shard, other, sentinels };
}

t.test('a record that was edited by hand never makes another Redis lose its data', async (t) => {
  const { name, consul, shard, other, sentinels } = await start('edited');
  const bridge = startBridge(t, { consul, sentinels, rebaseAfterMs: 1_000 });
  const record = await recordOf(consul, name, { until: ({ replicas }) => replicas.length > 0 });
  const theirs = other.master.address;
  const edits = {
    'as a replica': { replicas: [theirs, ...record.replicas] },
    'as the former master': { previous: theirs },
    'as the master, at an epoch of the future': { master: theirs, epoch: record.epoch + 50 },
  };
  for (const [how, edit] of Object.entries(edits)) {
    await consul.putKey(`redis/record/${name}`, JSON.stringify({ ...record, ...edit }));
    await waitFor('the record to be restored', () => readRecord(consul, name), {
      until: (now) =>
        JSON.stringify([now?.master, now?.replicas]) === JSON.stringify([record.master, record.replicas]) &&
        now?.phase === 'confirmed',
    });
    const reports = bridge.reports.length;
    await waitFor('two more runs', () => bridge.reports.length, { until: (count) => count >= reports + 2 });
    t.equal(await other.master.role(), 'master', how);
    t.equal(await other.master.command('GET', 'mine'), 'kept', how);
  }
  t.strictSame(
    bridge.fences.filter(({ address }) => address === formatAddress(theirs)),
    [],
  );
  t.equal(await shard.master.role(), 'master');
});

t.test('a Sentinel that monitors another Redis by the same name does not move the record', async (t) => {
  const { name, consul, shard, other, sentinels } = await start('named');
  const unlisted = only(
    await sandbox.sentinels({
      count: 1,
      name: 'unlisted',
      masters: [{ ...other, name } as typeof other],
      lines: [`sentinel config-epoch ${name} 999`],
    }),
  );
  const first = startBridge(t, { consul, sentinels: [unlisted, ...sentinels], rebaseAfterMs: 1_000 });
  const record = await recordOf(consul, name, { master: shard.master });
  t.ok(record.epoch < 999);
  const state = () => JSON.stringify(first.part.state());
  await waitFor('the bridge to say which Sentinel it ignores', state, {
    until: (text) => text.includes(`ignored: ${formatAddress(unlisted.address)} names`),
  });
  await sentinels[0]?.command('SENTINEL', 'FAILOVER', name);
  const replica = only(shard.replicas);
  t.match(await recordOf(consul, name, { master: replica }), { generation: 1, phase: 'confirmed' });
  t.equal(await other.master.command('SET', 'mine', 'written', 'GET'), 'kept', 'nobody has paused it');
});

t.test('the check reports a master that no Sentinel monitors any more, and fails when it is a replica', async (t) => {
  const { name, consul, shard, sentinels } = await start('dropped');
  const first = startBridge(t, { consul, sentinels });
  await recordOf(consul, name, { master: shard.master });
  const check = async () => {
    const found = await consul.get<{ Checks: { CheckID: string; Status: string; Output: string }[] }[]>(
      `/v1/health/service/redis-master?tag=${name}`,
    );
    const ours = found?.flatMap(({ Checks }) => Checks).find(({ CheckID }) => CheckID === 'redis-master:sentinel');
    return `${ours?.Status} ${ours?.Output}`;
  };
  await waitFor('the check', check, { until: (text) => text === 'passing Sentinel: up' });
  await Promise.all(sentinels.map((sentinel) => sentinel.command('SENTINEL', 'REMOVE', name)));
  await waitFor('the check to change', check, { until: (text) => text === 'warning no Sentinel monitors it' });
  t.strictSame(await consul.dnsA(`${name}.redis-master.service.consul`), [shard.master.address.host]);
  await first.stop();
  const second = startBridge(t, { consul, sentinels });
  await waitFor('the next bridge to know it', () => JSON.stringify(second.part.state()), {
    until: (state) => state.includes('no Sentinel monitors it any more (3 of 3 answered)'),
  });
  const { host, port } = only(shard.replicas).address;
  await only(shard.replicas).command('REPLICAOF', 'NO', 'ONE');
  await shard.master.command('REPLICAOF', host, port);
  await waitFor('the check', check, { until: (text) => text === 'critical answers ROLE as a replica' });
  await waitFor('DNS to forget it', () => consul.dnsA(`${name}.redis-master.service.consul`), {
    until: (addresses) => addresses.length === 0,
  });
  await consul.delete(`/v1/kv/redis/record/${name}`);
  await waitFor('the bridge to forget it', () => JSON.stringify(second.part.masters.list()), {
    until: (list) => list === '[]',
  });
});
