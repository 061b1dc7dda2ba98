import t from 'tap';
import { sameAddress } from '../../../lib/model/address.ts';
import { waitFor, within } from '../../sandbox/condition.ts';
import type { RedisServer, Shard } from '../../sandbox/redis.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { only, recordOf, startBridge } from '../support/bridging.ts';
import { NumberWriter, persistentClient } from '../support/writing.ts';

/* A daemon that stops, or replaces its bridge after a reload, while it carries out a planned failover. */
t.setTimeout(240_000);
const sandbox = await Sandbox.openFor(t, { name: 'planned-stop' });
const names = ['finishing', 'ordered', 'stalled', 'waiting', 'preferring'] as const;
const [consul, ...shards] = await Promise.all([
  sandbox.consul(),
  ...names.map((name) => sandbox.redis({ name, replicas: 2 })),
]);
// Every failover here is ordered.
const sentinels = await sandbox.sentinels({ masters: shards, downAfterMs: 120_000 });
await Promise.all(sentinels.map((sentinel) => sentinel.command('SENTINEL', 'DEBUG', 'info-period', 300)));

/** A shard, and a bridge of its own. */
async function open(t: Parameters<typeof startBridge>[0], name: (typeof names)[number]) {
  const shard = shards.find((one) => one.name === name) as Shard;
  const bridge = startBridge(t, { consul, sentinels, masters: [name], id: name });
  await recordOf(consul, name, { until: ({ replicas }) => replicas.length === 2 });
  return { shard, bridge, replica: only(shard.replicas) };
}

/** A pause lasts for half a minute unless it is released. */
const takesWrites = async (server: RedisServer) => (await within(server.command('SET', 'k', 'v'), 5_000)) === 'OK';
const priorities = (shard: Shard) =>
  Promise.all(
    shard.servers.map(async (server) => (await server.command('CONFIG', 'GET', 'replica-priority')) as string[]),
  );
const usual = Array.from({ length: 3 }, () => ['replica-priority', '100']);

t.test('a planned failover of a bridge that stops', { jobs: 3 }, async (t) => {
  t.test('is finished if it has begun', async (t) => {
    const { shard, bridge, replica } = await open(t, 'finishing');
    let stopped: Promise<void> | undefined;
    const onStep = (step: string) => {
      if (step === 'paused') stopped = bridge.stop({ graceMs: 60_000 });
    };
    const report = await bridge.part.failOver('finishing', { successor: replica.address, onStep });
    await stopped;
    t.strictSame(report.to, replica.address);
    t.match(report.stages, { confirmed: Number, demoted: Number });
    t.ok(await takesWrites(replica));
    t.strictSame(await priorities(shard), usual);
    await t.rejects(bridge.part.failOver('finishing', {}), { code: 'failover-refused' });
  });

  t.test('loses no write if it was ordered already, however little time is left', async (t) => {
    const { shard, bridge } = await open(t, 'ordered');
    const { name, master } = shard;
    const writers = [1, 2, 3].map(
      (n) => new NumberWriter({ name, key: `w${n}`, client: persistentClient(() => master.address), pauseMs: 1 }),
    );
    t.teardown(async () => void (await Promise.all(writers.map((writer) => writer.stop()))));
    await waitFor('writes', () => writers.every(({ acknowledged }) => acknowledged.size > 20));
    let stopped: Promise<void> | undefined;
    const onStep = (step: string) => {
      if (step === 'ordered') stopped = bridge.stop({ graceMs: 1 });
    };
    await t.rejects(bridge.part.failOver(name, { onStep }), { code: 'failover-stalled', message: /may be lost/ });
    await stopped;
    const promoted = await waitFor('Sentinel to name another master', () => only(sentinels).masterAddress(name), {
      until: (address) => !sameAddress(address, master.address),
    });
    await Promise.all(writers.map((writer) => writer.stop()));
    for (const writer of writers) t.strictSame((await writer.lostAt(promoted)).lost, []);
  });

  t.test('releases the writes if it takes too long', async (t) => {
    const { shard, bridge } = await open(t, 'stalled');
    let stopped: Promise<void> | undefined;
    const onStep = (step: string) => {
      if (step === 'checked') for (const replica of shard.replicas) replica.pause();
      if (step === 'paused') stopped = bridge.stop({ graceMs: 400 });
    };
    await t.rejects(bridge.part.failOver('stalled', { timeoutMs: 60_000, onStep }), {
      code: 'failover-stalled',
      message: /the daemon stops, or reads its config again/,
    });
    await stopped;
    t.equal(await shard.master.role(), 'master');
    t.ok(await takesWrites(shard.master));
  });

  t.test('is given up if it waits', async (t) => {
    const { shard, bridge } = await open(t, 'waiting');
    await Promise.all(shard.replicas.map((replica) => replica.kill()));
    const { promise: waits, resolve: onWait } = Promise.withResolvers<string>();
    const failover = bridge.part.failOver('waiting', { onWait });
    const refused = t.rejects(failover, { code: 'failover-refused', message: /: the daemon stops, or reads/ });
    await waits;
    await bridge.stop({ graceMs: 60_000 });
    t.equal(
      await within(
        refused.then(() => 'refused'),
        1_000,
      ),
      'refused',
    );
  });
});

t.test(
  'a planned failover of a bridge that stops is given up before it begins, with the priorities as before',
  async (t) => {
    const { shard, bridge, replica } = await open(t, 'preferring');
    // No Sentinel sees the priorities in time.
    const unseen = () => Promise.all(sentinels.map((one) => one.command('SENTINEL', 'DEBUG', 'info-period', 60_000)));
    const preferred = async () => ((await priorities(shard))[1] ?? []).includes('1');
    const onStep = (step: string) => {
      if (step === 'checked') void unseen();
    };
    const failover = bridge.part.failOver('preferring', { successor: replica.address, onStep });
    const refused = t.rejects(failover, { code: 'failover-refused' });
    await waitFor('the priority', preferred, { intervalMs: 5 });
    await bridge.stop({ graceMs: 60_000 });
    await refused;
    t.strictSame(await priorities(shard), usual);
  },
);
