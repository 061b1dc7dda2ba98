import t, { type Test } from 'tap';
import { ConsulClient } from '../../../lib/client/consul.ts';
import { loadConfig } from '../../../lib/config/load.ts';
import { formatAddress } from '../../../lib/model/address.ts';
import { formatClusterRecord } from '../../../lib/model/cluster.ts';
import { Removal } from '../../../lib/removal/removal.ts';
import { runCommand } from '../../cmd/command.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { redisCli } from '../../sandbox/resp.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { failOver, only, readRecord, recordOf, startBridge } from '../support/bridging.ts';

t.setTimeout(360_000);
const sandbox = await Sandbox.openFor(t, { name: 'removed-master' });
const names = ['removed', 'unmonitored', 'unrecorded', 'unreachable'];
const consul = await sandbox.consul();
const shards = await Promise.all(names.map((name) => sandbox.redis({ name })));
// Every failover here is ordered.
const sentinels = await sandbox.sentinels({ masters: shards, downAfterMs: 10_000 });
const bridge = startBridge(t, { consul, sentinels });

const settings = {
  consul: { address: consul.url },
  sentinel: { addresses: [formatAddress(only(sentinels).address)] },
  templates: [{ source: 'haproxy.cfg.hbs', destination: '/nowhere/haproxy.cfg', vars: { ports: { removed: 6380 } } }],
};
const configFile = sandbox.write('switchmaster.json', JSON.stringify(settings));

async function forget(...options: string[]) {
  const { code, stdout } = await runCommand(['forget', ...options, '--json', '--config', configFile]);
  return { code, ...JSON.parse(stdout) };
}

/** Every key of the master, and its node. */
async function inConsul(name: string) {
  const keys = (await consul.get<{ Key: string }[] | undefined>('/v1/kv/redis/?recurse')) ?? [];
  const node = await consul.get<object | null>(`/v1/catalog/node/redis-${name}`);
  return [
    ...keys.map(({ Key }) => Key).filter((key) => key.split('/').includes(name)),
    ...(node === null ? [] : ['node']),
  ];
}

/** Every shard has had a failover, so each record names a former master. */
await Promise.all(
  shards.map(async (shard) => {
    await recordOf(consul, shard.name);
    await failOver(only(sentinels), shard.name);
    await recordOf(consul, shard.name, { master: only(shard.replicas) });
    await waitFor('the former master to follow', () => shard.master.role(), {
      until: (role) => role === 'replica',
      timeoutMs: 60_000,
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
  await waitFor('three runs of the bridge', runs, { until: (count) => count >= ran + 3, timeoutMs: 60_000 });
  t.strictSame(fences().slice(fenced), []);
  t.equal(await redisCli(former.address, ['SET', 'k', 'v'], { timeoutMs: 3_000 }), 'OK');
  t.equal(await former.role(), 'master');
}

t.test('a master that was removed from the Sentinels and from Consul is forgotten and left alone', async (t) => {
  const former = shardOf('removed').master;
  const refused = await forget('removed', '--yes');
  t.match(refused, { code: 1, verdict: 'refused', refusals: [{ text: /^3 Sentinels still monitor removed/ }] });
  const typed = sentinels.map(
    ({ address: { host, port } }) => `redis-cli -h ${host} -p ${port} sentinel remove removed`,
  );
  t.strictSame([...refused.refusals[0].commands].sort(), typed.sort());
  await everywhere('REMOVE', 'removed');
  const before = await inConsul('removed');
  const preview = await forget('removed', '--dry-run');
  t.match(preview, { code: 0, verdict: 'now', remains: [{ id: 'templates[0].vars.ports.removed' }] });
  t.strictSame(await inConsul('removed'), before, 'a preview changes nothing');
  const deleted = preview.removes.map(({ id, what }: { id: string; what: string }) => (what === 'node' ? 'node' : id));
  for (const key of before) t.ok(deleted.includes(key), key);
  t.match(await forget('removed', '--yes'), { code: 0, verdict: 'forgotten', returnedBy: null });
  t.strictSame(await inConsul('removed'), []);
  await isLeftAlone(t, 'removed');
  const forgotten = bridge.reports.filter(
    ({ key, outcome }) => key === 'removed' && outcome.kind === 'applied' && outcome.summary.startsWith('forgotten'),
  );
  t.equal(forgotten.length, 1, 'the journal has it once');
  t.match(await forget('removed', '--yes'), { code: 1, error: { code: 'not-found', message: /it has .*unmonitored/ } });
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

t.test('nothing is deleted if something changed after the preview', async (t) => {
  const config = await loadConfig({ paths: [configFile], environment: {} });
  const permissions = { unreachableSentinels: 'monitoring' } as const;
  const removal = new Removal(config, { name: 'unmonitored', subject: 'master', permissions });
  const plan = await removal.plan();
  await consul.put('/v1/kv/redis/master/unmonitored/epoch', 99);
  const before = await inConsul('unmonitored');
  await t.rejects(removal.carryOut(plan, { signal: new AbortController().signal, warn: t.fail }), {
    code: 'forget-refused',
    message: /changed in Consul after the preview/,
  });
  await removal.close();
  t.strictSame(await inConsul('unmonitored'), before);
  // Each step by itself refuses what is not as it was read.
  const client = new ConsulClient(consul.http);
  for (const step of plan.steps) {
    const { kind, errors } = { errors: [], ...(await client.transact([{ ...step, index: 1 } as typeof step])) };
    t.match({ kind, errors }, { kind: 'conflict', errors: [{ what: /stale/ }] }, step.kind);
  }
  client.close();
  t.strictSame(await inConsul('unmonitored'), before);
});

t.test('the record of a cluster is forgotten, and a daemon that writes it again is named', async (t) => {
  const record = { version: 1, name: 'sessions', epoch: 3, state: 'ok', uncovered: [], shards: [] } as const;
  const text = formatClusterRecord({ ...record, changedAt: new Date().toISOString(), changedBy: 'web-9/1' });
  const key = '/v1/kv/redis/cluster/sessions';
  await consul.put(key, JSON.parse(text));
  t.match(await forget('sessions', '--dry-run'), { code: 1, error: { code: 'not-found', message: /add --cluster/ } });
  const again = (async () => {
    await waitFor('the key to be gone', () => consul.get(`${key}?raw`), {
      until: (value) => value === undefined,
      intervalMs: 10,
    });
    // A change of a key beside it ends a blocking query about a key that is not there.
    for (let i = 0; i < 10; i += 1) await consul.putKey('redis/cluster/sessions-2', String(i));
    await consul.put(key, JSON.parse(text));
  })();
  t.match(await forget('sessions', '--cluster', '--yes'), { code: 1, verdict: 'returned', returnedBy: 'web-9/1' });
  await again;
  t.match(await forget('sessions', '--cluster', '--yes'), { code: 0, verdict: 'forgotten' });
});

t.test('a record that was deleted alone comes back, and the former master is demoted', async () => {
  const former = shardOf('unrecorded').master;
  await consul.delete('/v1/kv/redis/record/unrecorded');
  await recordOf(consul, 'unrecorded', { until: ({ reason }) => reason.startsWith('restored') });
  const fences = () => bridge.fences.filter(({ address }) => address === formatAddress(former.address));
  const fenced = fences().length;
  await former.command('REPLICAOF', 'NO', 'ONE');
  bridge.part.wake('unrecorded', { source: 'test', event: 'look' });
  // On a busy machine a Sentinel may answer too late for a demotion at once: the writes wait until then.
  const acted = () =>
    fences()
      .slice(fenced)
      .filter(({ action }) => action === 'demote' || action === 'pause');
  await waitFor('a demotion or a pause', acted, { until: (list) => list.length > 0 });
  await waitFor('the former master to follow', () => former.role(), {
    until: (role) => role === 'replica',
    timeoutMs: 60_000,
  });
});

t.test('a former master is left alone while no Sentinel answers', async (t) => {
  for (const sentinel of sentinels) sentinel.pause();
  const heard = () => bridge.part.masters.get('unreachable')?.sentinels ?? [];
  await waitFor('the bridge to hear no Sentinel', heard, {
    until: (votes) => votes.length > 0 && votes.every(({ state }) => state === 'unreachable'),
    timeoutMs: 60_000,
  });
  await isLeftAlone(t, 'unreachable');
  t.match(await forget('unmonitored', '--yes'), {
    verdict: 'refused',
    refusals: [{ text: /^cannot ask the Sentinel/ }],
  });
  t.match(await forget('unmonitored', '--dry-run', '--ignore-unreachable'), { code: 0, verdict: 'now' });
  for (const sentinel of sentinels) sentinel.resume();
  await waitFor('the former master to follow', () => shardOf('unreachable').master.role(), {
    until: (role) => role === 'replica',
    timeoutMs: 60_000,
  });
});
