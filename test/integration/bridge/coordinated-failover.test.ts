import t, { type Test } from 'tap';
import { type Address, sameAddress } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { Shard } from '../../sandbox/redis.ts';
import { redisCli } from '../../sandbox/resp.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { only, readRecord, recordOf, startBridge } from '../support/bridging.ts';
import { hasValkey9 } from '../support/editions.ts';
import { NumberWriter, persistentClient } from '../support/writing.ts';

// Coordinated failovers, with Sentinels of Valkey 9: docs/promotion.md. planned-failover.test.ts has the other manner, and Valkey 9
// among the editions. ROUNDS=20 (npm run test:editions) moves a master so often, and adds scenes whose decision manner.test.ts has too.
t.setTimeout(240_000 + 20_000 * Number(process.env.ROUNDS ?? 0));
const sandbox = await Sandbox.openFor(t, { name: 'coordinated' });
const rounds = Number(process.env.ROUNDS ?? 1);

if (hasValkey9) await tryCoordinated();
else t.pass('Valkey 9 is not unpacked: npm test tries to fetch it');

async function tryCoordinated(): Promise<void> {
  const names = ['moved', 'unpermitted', 'silent', ...(rounds > 1 ? ['older', 'refused'] : [])];
  const [consul, ...shards] = await Promise.all([
    sandbox.consul(),
    ...names.map((name) =>
      sandbox.redis({ name, replicas: 2, program: name === 'older' ? 'redis-server' : 'valkey9-server' }),
    ),
  ]);
  const sentinels = await sandbox.sentinels({ name: 'sentinel', masters: shards, program: 'valkey9-sentinel' });
  await Promise.all(sentinels.map((sentinel) => sentinel.command('SENTINEL', 'DEBUG', 'info-period', 300)));
  const bridges = [1, 2].map((n) => startBridge(t, { consul, sentinels, id: `bridge-${n}` }));
  const { part } = only(bridges);

  const ready = async (name: string): Promise<Shard> => {
    await recordOf(consul, name, { until: ({ replicas }) => replicas.length === 2 });
    return shards.find((shard) => shard.name === name) as Shard;
  };
  const masterOf = async (name: string): Promise<Address> => {
    const record = await readRecord(consul, name);
    if (record === undefined) throw new Error('there is no record');
    return record.master;
  };
  const startWriter = async (t: Pick<Test, 'teardown'>, name: string): Promise<NumberWriter> => {
    const client = persistentClient(() => masterOf(name));
    const writer = new NumberWriter({ name, key: 'w', client, pauseMs: 5 });
    t.teardown(async () => void (await writer.stop()));
    await waitFor('writes', () => writer.acknowledged.size > 20, { timeoutMs: 60_000 });
    return writer;
  };
  const losesNothing = async (t: Test, writer: NumberWriter, master: Address) => {
    const before = writer.acknowledged.size;
    await waitFor('writes to continue', () => writer.acknowledged.size > before + 20, { timeoutMs: 60_000 });
    await writer.stop();
    t.strictSame((await writer.lostAt(master)).lost, []);
  };

  // One after another: an election at a newer epoch, also of another master, makes a Sentinel lose the one that it is in.
  t.test('where Sentinel and Redis know it, the failover is coordinated', async (t) => {
    t.test('the master itself hands over to a replica that has all of its writes', async (t) => {
      await ready('moved');
      const writer = await startWriter(t, 'moved');
      let to: Address | undefined;
      const times: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        t.match(await part.previewFailover('moved', {}), { manner: 'coordinated', whyPaused: null });
        const report = await part.failOver('moved', {});
        t.equal(report.manner, 'coordinated');
        t.strictSame(Object.keys(report.stages).toSorted(), [
          ...['checked', 'confirmed', 'demoted', 'ordered', 'paused', 'promoted'],
        ]);
        t.equal(report.offsets.inherited, report.offsets.paused, 'the new master has what the old one had');
        t.ok(sameAddress((await recordOf(consul, 'moved')).master, report.to));
        times.push(report.withoutWritesMs);
        to = report.to;
      }
      await losesNothing(t, writer, to as Address);
      t.comment(`${times.join(', ')} ms without writes`);
    });

    t.test('a replica that falls silent ends it, and the master takes writes again', async (t) => {
      const { master, replicas } = await ready('silent');
      const before = await recordOf(consul, 'silent');
      for (const sentinel of sentinels)
        await sentinel.command('SENTINEL', 'SET', 'silent', 'down-after-milliseconds', 60_000);
      const onStep = (step: string) => {
        if (step === 'ordered') for (const replica of replicas) replica.pause();
      };
      await t.rejects(part.failOver('silent', { timeoutMs: 700, onStep }), {
        code: 'failover-stalled',
        message: /700 ms passed until a replica is promoted/,
      });
      t.equal(await redisCli(master.address, ['SET', 'k', 'v'], { timeoutMs: 2_000 }), 'OK');
      t.match(await master.command('INFO', 'replication'), /master_failover_state:no-failover/);
      for (const replica of replicas) replica.resume();
      t.match(await recordOf(consul, 'silent'), { master: before.master, epoch: before.epoch });
    });

    t.test(
      'a master that permits FAILOVER only to the bridge: nothing changes, and the next order pauses the writes',
      async (t) => {
        const shard = await ready('unpermitted');
        const rule = ['ACL', 'SETUSER', 'sentinel', 'on', '>secret', 'allchannels', '+@all', '-failover'] as const;
        for (const server of shard.servers) await server.command(...rule);
        for (const sentinel of sentinels) {
          await sentinel.command('SENTINEL', 'SET', 'unpermitted', 'auth-user', 'sentinel');
          await sentinel.command('SENTINEL', 'SET', 'unpermitted', 'auth-pass', 'secret');
          await sentinel.command('SENTINEL', 'SET', 'unpermitted', 'failover-timeout', 2_000);
        }
        const before = await recordOf(consul, 'unpermitted');
        const writer = await startWriter(t, 'unpermitted');
        await t.rejects(part.failOver('unpermitted', {}), {
          code: 'failover-stalled',
          message: /did not carry out Sentinel's FAILOVER\. .* \+failover .* Nothing has changed, and no write waits/,
        });
        t.match(await recordOf(consul, 'unpermitted'), { master: before.master, epoch: before.epoch });
        t.equal(await redisCli(shard.master.address, ['SET', 'k', 'v'], { timeoutMs: 200 }), 'OK');
        t.match(await part.previewFailover('unpermitted', {}), { manner: 'paused', whyPaused: /did not carry out/ });
        const report = await part.failOver('unpermitted', {});
        t.equal(report.manner, 'paused');
        await losesNothing(t, writer, report.to);
      },
    );

    if (rounds === 1) return;
    t.test('also with Redis 7 below, which knows FAILOVER', async (t) => {
      await ready('older');
      const writer = await startWriter(t, 'older');
      const report = await part.failOver('older', {});
      t.equal(report.manner, 'coordinated');
      await losesNothing(t, writer, report.to);
    });

    t.test('a master that does not permit it to the bridge: it pauses the writes itself', async (t) => {
      const shard = await ready('refused');
      for (const server of shard.servers) await server.command('ACL', 'SETUSER', 'default', '-failover');
      const writer = await startWriter(t, 'refused');
      t.match(await part.previewFailover('refused', {}), { manner: 'paused', whyPaused: /does not permit FAILOVER/ });
      const report = await part.failOver('refused', {});
      t.equal(report.manner, 'paused');
      await losesNothing(t, writer, report.to);
    });
  });
}
