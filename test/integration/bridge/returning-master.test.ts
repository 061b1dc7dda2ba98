import t from 'tap';
import { formatAddress } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { nowMs } from '../../sandbox/recorder.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import type { SentinelServer } from '../../sandbox/sentinel.ts';
import { only, recordOf, startBridge } from '../support/bridging.ts';
import { NumberWriter, persistentClient } from '../support/writing.ts';

t.setTimeout(360_000);
const sandbox = await Sandbox.openFor(t, { name: 'returning-master' });

/** The master has died, its replica is the confirmed master, and the bridge has read everything. */
async function start(t: Parameters<typeof startBridge>[0], name: string) {
  const [consul, shard] = await Promise.all([sandbox.consul({ name: `${name}-consul` }), sandbox.redis({ name })]);
  const sentinels = await sandbox.sentinels({ name: `${name}-sentinel`, masters: [shard] });
  const bridge = startBridge(t, { consul, sentinels });
  await recordOf(consul, name);
  await shard.master.kill();
  const { epoch } = await recordOf(consul, name, { master: only(shard.replicas) });
  return { name, shard, sentinels, bridge, epoch };
}

type Stack = Awaited<ReturnType<typeof start>>;

/** Sentinels that lost their data and monitor the current master again: they have never seen the former one. */
async function rebuild({ shard, epoch }: Stack, sentinels: readonly SentinelServer[]) {
  const { host, port } = only(shard.replicas).address;
  for (const sentinel of sentinels) {
    await sentinel.command('SENTINEL', 'REMOVE', shard.name);
    await sentinel.command('SENTINEL', 'MONITOR', shard.name, host, port, 2);
  }
  const views = () =>
    Promise.all(
      sentinels.map(async (sentinel) => ({
        master: await sentinel.masterInfo(shard.name),
        replicas: await sentinel.replicaInfos(shard.name),
      })),
    );
  await waitFor('the rebuilt Sentinels to be up to date', views, {
    until: (all) =>
      all.every(
        ({ master, replicas }) =>
          master['config-epoch'] === String(epoch) && master['num-other-sentinels'] === '2' && replicas.length === 0,
      ),
  });
}

/** Starts the former master while a client writes to it, and returns how long it accepted writes. */
async function bringBack({ shard, bridge }: Pick<Stack, 'shard' | 'bridge'>) {
  const address = formatAddress(shard.master.address);
  const writer = new NumberWriter({
    name: 'w',
    key: 'w',
    pauseMs: 5,
    client: persistentClient(() => shard.master.address),
  });
  const startedMs = nowMs();
  await shard.master.start();
  const done = () =>
    bridge.fences.some((fence) => fence.address === address && fence.outcome === 'applied' && fence.atMs > startedMs);
  await waitFor('the former master to be fenced', done, { timeoutMs: 60_000 });
  await writer.stop();
  const times = [...writer.acknowledged.values()];
  await waitFor('the former master to be a replica in the end', () => shard.master.role(), {
    until: (role) => role === 'replica',
    timeoutMs: 45_000,
  });
  return (times.at(-1) ?? 0) - (times[0] ?? 0);
}

// Sentinel alone makes it a replica after eight seconds.
const limitMs = 5_000;

t.test('a former master that returns as master accepts writes for less than five seconds', { jobs: 3 }, async (t) => {
  t.test('where one of three Sentinels was rebuilt and does not list it', async (t) => {
    const stack = await start(t, 'one-rebuilt');
    await rebuild(stack, stack.sentinels.slice(2));
    const wroteMs = await bringBack(stack);
    t.ok(wroteMs < limitMs, `${Math.round(wroteMs)} ms`);
    const actions = stack.bridge.fences.filter(({ atMs }) => atMs > 0).map(({ action }) => action);
    t.ok(actions.includes('pause'), `${actions}`);
  });

  t.test('where two of three Sentinels were rebuilt and do not list it', async (t) => {
    const stack = await start(t, 'two-rebuilt');
    await rebuild(stack, stack.sentinels.slice(1));
    const wroteMs = await bringBack(stack);
    t.ok(wroteMs < limitMs, `${Math.round(wroteMs)} ms`);
  });

  t.test('where one of three Sentinels is down', async (t) => {
    const stack = await start(t, 'one-down');
    await only(stack.sentinels).kill();
    const wroteMs = await bringBack(stack);
    t.ok(wroteMs < limitMs, `${Math.round(wroteMs)} ms`);
  });

  t.test('where every Sentinel lists it as down', async (t) => {
    const stack = await start(t, 'all-list-it');
    const flags = async () =>
      (await Promise.all(stack.sentinels.map((sentinel) => sentinel.replicaInfos('all-list-it')))).flat();
    await waitFor('every Sentinel to list it as down', flags, {
      until: (infos) => infos.length === 3 && infos.every((info) => info.flags?.includes('s_down')),
    });
    const wroteMs = await bringBack(stack);
    t.ok(wroteMs < limitMs, `${Math.round(wroteMs)} ms`);
  });
});
