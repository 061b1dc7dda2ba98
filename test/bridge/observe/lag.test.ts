import t from 'tap';
import { LagSource } from '../../../lib/bridge/observe/lag.ts';
import { LagHistory } from '../../../lib/bridge/plan/lag.ts';
import { RedisPool } from '../../../lib/client/redis-pool.ts';
import type { Lag } from '../../../lib/model/lag.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { RedisServer } from '../../sandbox/redis.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { record } from '../plan/world.ts';

t.test('a replica that has acknowledged everything is not asked, and one behind or under writes is', async (t) => {
  const sandbox = await Sandbox.openFor(t, { name: 'lag' });
  const { master, replicas } = await sandbox.redis({ name: 'm', replicas: 1 });
  const [replica] = replicas;
  if (replica === undefined) throw new Error('it was started');
  const redis = new RedisPool({});
  t.teardown(() => redis.close());
  redis.keep('m', [master.address, replica.address]);
  const records = [{ ...record('A'), master: master.address, replicas: [replica.address] }];
  const changed: string[] = [];
  const lags = new LagSource({
    redis,
    records: () => records,
    makeKeeper: () => new LagHistory(),
    onChange: (name) => changed.push(name),
  });

  t.teardown(() => lags.close());
  const lag = () => lags.lag('m', replica.address, 'measure');
  await await waitFor('both connections', () => redis.role(replica.address, { timeoutMs: 500 }), {
    until: ({ role }) => role === 'replica',
  });

  lags.start();
  await waitFor('the first lag', async () => lag(), { until: (found) => found !== undefined });
  const atFirst = { master: await asked(master), replica: await asked(replica) };
  await waitFor('further measurements', () => asked(master), { until: (count) => count >= atFirst.master + 3 });
  t.equal(await asked(replica), atFirst.replica, 'nothing is written, and only the master is asked');
  t.match(lag(), { bytes: 0 });

  let isWriting = true;
  const writing = (async () => {
    while (isWriting) await master.command('INCR', 'counter');
  })();
  await waitFor('the replica to be asked under writes', () => asked(replica), {
    until: (count) => count > atFirst.replica,
  });
  const isRecent = (found: Lag | undefined) => found?.behindMs !== null && (found?.behindMs ?? Infinity) < 5_000;
  t.ok(isRecent(await waitFor('the lag under writes', async () => lag(), { until: isRecent })));
  isWriting = false;
  await writing;

  replica.pause();
  await master.command('INCR', 'counter');
  await waitFor('no lag that could be known', async () => lag() ?? 'unknown', {
    until: (found) => found === 'unknown',
  });
  replica.resume();
  await waitFor('the lag again', async () => lag(), { until: (found) => found?.bytes === 0 });
  t.strictSame(changed, [], 'no answer says nothing about the link');

  await replica.command('REPLICAOF', '127.0.0.1', 1);
  await waitFor('the end of the replication', () => changed, { until: ({ length }) => length === 1 });
  await replica.command('REPLICAOF', master.address.host, master.address.port);
  await waitFor('its return', () => changed, { until: ({ length }) => length === 2 });
  t.strictSame(changed, ['m', 'm']);

  await master.command('REPLICAOF', '127.0.0.1', 1);
  await waitFor('the end of the master', () => changed, { until: ({ length }) => length === 3 });
});

t.test(
  'masters whose lag nobody wants are measured at once, and then every five seconds, a share each second',
  async (t) => {
    const records = Array.from({ length: 100 }, (_, port) => ({
      ...record('A'),
      name: `m${port}`,
      master: { host: '127.0.0.1', port },
      replicas: [],
    }));
    const asked = new Map<number, number[]>();
    const redis = {
      command: async ({ port }: { readonly port: number }) => {
        asked.set(port, [...(asked.get(port) ?? []), performance.now()]);
        return [['master', 1, []]];
      },
    };
    const lags = new LagSource({ redis, records: () => records, makeKeeper: () => new LagHistory() });
    t.teardown(() => lags.close());
    lags.start();
    const times = () => [...asked.values()];
    await waitFor('three measurements of each', times, {
      until: (all) => all.length === 100 && all.every(({ length }) => length >= 3),
      timeoutMs: 60_000,
    });
    const first = times().map(([ms = 0]) => ms);
    t.ok(Math.max(...first) - Math.min(...first) < 500, 'the first of all masters come together');
    const pauses = times().flatMap((all) => all.slice(1).map((ms, i) => ms - (all[i] ?? 0)));
    t.ok(
      pauses.every((ms) => ms < 7_000),
      `at most ${Math.max(...pauses)} ms apart`,
    );
    const later = times().flatMap((all) => all.slice(1));
    const together = later.map((ms) => later.filter((other) => other >= ms && other < ms + 300).length);
    t.ok(Math.max(...together) <= 40, `${Math.max(...together)} of 100 questions at once`);
  },
);

/** How often a server was asked for its ROLE. */
async function asked(server: RedisServer): Promise<number> {
  const stats = String(await server.command('INFO', 'commandstats'));
  return Number(/^cmdstat_role:calls=(\d+)/m.exec(stats)?.[1] ?? 0);
}
