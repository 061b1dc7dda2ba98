import t from 'tap';
import { sameAddress } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { only, readRecord, recordOf, startBridge } from '../support/bridging.ts';
import { NumberWriter, persistentClient } from '../support/writing.ts';

t.setTimeout(360_000);
const sandbox = await Sandbox.openFor(t, { name: 'planned-back' });
const name = 'shard1';

/** A shard whose second replica has a worse priority, with Sentinels that read INFO every ten seconds. */
async function start() {
  const [consul, shard] = await Promise.all([sandbox.consul(), sandbox.redis({ name, replicas: 2 })]);
  const sentinels = await sandbox.sentinels({ masters: [shard], downAfterMs: 10_000 });
  const [successor, other] = shard.replicas;
  if (successor === undefined || other === undefined) throw new Error('there are two replicas');
  await other.command('CONFIG', 'SET', 'replica-priority', 200);
  const everywhere = (...command: (string | number)[]) =>
    Promise.all(sentinels.map((sentinel) => sentinel.command('SENTINEL', ...command)));
  await everywhere('DEBUG', 'info-period', 200);
  const infos = async () => (await Promise.all(sentinels.map((one) => one.replicaInfos(name)))).flat();
  await waitFor('the Sentinels to see the priority', infos, {
    until: (list) => list.filter((info) => info['slave-priority'] === '200').length === 3,
  });
  await everywhere('DEBUG', 'info-period', 10_000);
  const bridge = startBridge(t, { consul, sentinels });
  await recordOf(consul, name, { until: ({ replicas }) => replicas.length === 2 });
  return { consul, shard, sentinels, successor, bridge };
}

t.test(
  'a planned failover back loses no write while a Sentinel still believes that the target is a master',
  async (t) => {
    const { consul, shard, sentinels, successor, bridge } = await start();
    const find = async () => {
      const record = await readRecord(consul, name);
      if (record === undefined) throw new Error('there is no record');
      return record.master;
    };
    const writers = [1, 2, 3].map(
      (n) => new NumberWriter({ name: `${n}`, key: `w${n}`, client: persistentClient(find), pauseMs: 0 }),
    );
    t.teardown(async () => void (await Promise.all(writers.map((writer) => writer.stop()))));
    await waitFor('writes', () => writers.every(({ acknowledged }) => acknowledged.size > 50));
    const there = await bridge.part.failOver(name, {});
    t.strictSame(there.to, successor.address);
    const isStale = (info: Record<string, string>) =>
      Number(info.port) === shard.master.address.port &&
      info['role-reported'] === 'master' &&
      Number(info['info-refresh']) > 9_350;
    const stale = async () => {
      const lists = await Promise.all(sentinels.slice(1).map((sentinel) => sentinel.replicaInfos(name)));
      if (lists.some((list) => list.some(isStale))) return 'now';
      return lists.every((list) => list.every((info) => info['role-reported'] === 'slave')) ? 'missed' : undefined;
    };
    // A machine that stops this process at that time misses it. The failover back must lose nothing then, either.
    const moment = await waitFor('a Sentinel that reads INFO of the former master right after the promotion', stale);
    t.comment(moment);
    const back = await bridge.part.failOver(name, {});
    const before = writers.map(({ acknowledged }) => acknowledged.size);
    await waitFor('writes to continue', () =>
      writers.every(({ acknowledged }, i) => acknowledged.size > (before[i] ?? 0) + 50),
    );
    const masters = () => Promise.all(sentinels.map((sentinel) => sentinel.masterAddress(name)));
    await waitFor('every Sentinel to name the new master', masters, {
      until: (all) => all.every((address) => sameAddress(address, back.to)),
    });
    await Promise.all(writers.map((writer) => writer.stop()));
    const record = await recordOf(consul, name);
    t.match(record, { generation: there.generation, epoch: back.epoch, master: back.to });
    t.ok(back.epoch > there.epoch);
    for (const writer of writers) t.strictSame((await writer.lostAt(record.master)).lost, []);
    t.equal(await only(shard.servers.filter(({ address }) => sameAddress(address, back.to))).role(), 'master');
  },
);
