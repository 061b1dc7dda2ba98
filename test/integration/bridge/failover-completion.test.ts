import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { formatAddress } from '../../../lib/model/address.ts';
import type { MasterRecord } from '../../../lib/model/record.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import type { SentinelServer } from '../../sandbox/sentinel.ts';
import { failOver, only, readRecord, recordOf, startBridge } from '../support/bridging.ts';
import { lostDespitePauses } from '../support/pauses.ts';
import { NumberWriter, persistentClient } from '../support/writing.ts';

t.setTimeout(240_000);
const sandbox = await Sandbox.openFor(t, { name: 'failoverCompletion' });

/** Two bridges, a client that follows the record, and Sentinels with a long down-after, as real ones have. */
async function start(t: Parameters<typeof startBridge>[0], name: string, replicas: number) {
  const [consul, shard] = await Promise.all([
    sandbox.consul({ name: `${name}-consul` }),
    sandbox.redis({ name, replicas }),
  ]);
  const sentinels = await sandbox.sentinels({ name: `${name}-sentinel`, masters: [shard], downAfterMs: 20_000 });
  // By default Sentinel reads priorities every ten seconds, and every second during a failover.
  await Promise.all(sentinels.map((sentinel) => sentinel.command('SENTINEL', 'DEBUG', 'info-period', 200)));
  const decided = Promise.withResolvers<MasterRecord>();
  const bridges = [1, 2].map((n) =>
    startBridge(t, { consul, sentinels, id: `bridge-${n}`, onDecision: (record) => decided.resolve(record) }),
  );
  await recordOf(consul, name, { until: (record) => record.replicas.length === replicas });
  const find = async () => {
    const record = await readRecord(consul, name);
    if (record === undefined) throw new Error('there is no record');
    return record.master;
  };
  const writer = new NumberWriter({ name, key: 'w', pauseMs: 5, client: persistentClient(find) });
  t.teardown(() => writer.stop());
  const counts = () => Promise.all(shard.replicas.map((replica) => replica.command('SCARD', 'w')));
  await waitFor('its writes on the replicas', counts, { until: (sizes) => sizes.every((size) => Number(size) > 20) });
  return { consul, shard, sentinels, bridges, writer, decided: decided.promise };
}

type Loss = (leader: SentinelServer) => Promise<unknown>;

/** More than two seconds put a Sentinel into TILT mode, in which it continues no failover for 30 s. */
const stopForAWhile: Loss = async (leader) => {
  leader.pause();
  await delay(2_500);
  leader.resume();
};

/** The leader is lost as soon as a bridge has followed it; `announced` where the Sentinels were quicker. */
async function loseLeader(stack: Awaited<ReturnType<typeof start>>, name: string, lose: Loss) {
  const { sentinels, bridges, consul, decided } = stack;
  const leader = only(sentinels);
  await failOver(leader, name);
  const promoted = await decided;
  await lose(leader);
  const confirmed = ({ phase, epoch }: MasterRecord) => phase === 'confirmed' && epoch > 0;
  const record = await recordOf(consul, name, { timeoutMs: 90_000, until: confirmed });
  const asked = bridges.flatMap(({ fences }) => fences).filter(({ action }) => action === 'finish');
  return asked.length === 0 ? ('announced' as const) : { promoted, record, asked };
}

const losses: readonly { readonly how: string; readonly replicas: number; readonly lose: Loss }[] = [
  { how: 'dies', replicas: 1, lose: (leader) => leader.kill() },
  { how: 'dies', replicas: 2, lose: (leader) => leader.kill() },
  { how: 'is-in-tilt', replicas: 1, lose: stopForAWhile },
];

t.test('another Sentinel completes a failover that its leader leaves after the promotion', { jobs: 2 }, async (t) => {
  for (const { how, replicas, lose } of losses) {
    t.test(`the leader ${how}: to the same replica, with all of its writes, out of ${replicas}`, async (t) => {
      const attempt = async (name: string) => {
        const stack = await start(t, name, replicas);
        return { stack, end: await loseLeader(stack, name, lose) };
      };
      let { stack, end } = await attempt(`leader-${how}-${replicas}-1`);
      for (let n = 2; end === 'announced'; n += 1) {
        ({ stack, end } = await attempt(`leader-${how}-${replicas}-${n}`));
      }
      const { promoted, record, asked } = end;
      const { shard, bridges, writer } = stack;
      // The other Sentinels may not have heard of the first epoch, and then begin it again.
      t.match(record, { generation: 1, master: promoted?.master, previous: shard.master.address });
      t.strictSame(
        asked.map(({ outcome, address }) => [outcome, address]),
        [['applied', formatAddress(record.master)]],
      );
      const before = writer.acknowledged.size;
      await waitFor('writes to continue', () => writer.acknowledged.size, { until: (size) => size > before + 20 });
      await writer.stop();
      const fences = bridges.flatMap((bridge) => bridge.fences);
      const { lost, of } = await lostDespitePauses(writer, { master: record.master, fences });
      t.strictSame(lost, [], `of ${of} acknowledged since the old master's writes waited`);
      const priorities = () =>
        Promise.all(shard.servers.map((server) => server.command('CONFIG', 'GET', 'replica-priority')));
      await waitFor('the priorities to be as before', priorities, {
        until: (all) => all.every((reply) => Array.isArray(reply) && reply[1] === '100'),
      });
    });
  }
});
