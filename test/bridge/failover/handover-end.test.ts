import t from 'tap';
import { endHandOver } from '../../../lib/bridge/failover/handover-end.ts';
import { readHandOver } from '../../../lib/client/coordinated-failover.ts';
import { RedisPool } from '../../../lib/client/redis-pool.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { redisCli } from '../../sandbox/resp.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';

const sandbox = await Sandbox.openFor(t, { name: 'handover-end' });

/** A master and its replica, and the end of a FAILOVER that the master carries out. */
async function start(name: string) {
  const { master, replicas } = await sandbox.redis({ name, replicas: 1 });
  const [replica] = replicas;
  if (replica === undefined) throw new Error('there is a replica');
  const redis = new RedisPool({});
  t.teardown(() => redis.close());
  redis.keep(name, [master.address, replica.address]);
  const stage = async () => (await readHandOver(redis, master.address, { timeoutMs: 500 }))?.stage;
  await waitFor('a connection', stage, { until: (now) => now === 'idle' });
  await waitFor('the replica', () => master.command('INFO', 'replication'), {
    until: (info) => /slave0:.*state=online/.test(String(info)),
  });
  const history = (await readHandOver(redis, master.address, { timeoutMs: 500 }))?.history;
  const failOver = (...options: readonly string[]) => {
    const { host, port } = replica.address;
    return master.command('FAILOVER', 'TO', host, `${port}`, ...options);
  };
  const end = () => endHandOver(redis, { master: master.address, candidates: [replica.address], history });
  const takesWrites = () =>
    redisCli(master.address, ['SET', 'k', 'v'], { timeoutMs: 300 }).then(
      (answer) => answer === 'OK',
      () => false,
    );
  return { master, replica, stage, failOver, end, takesWrites };
}

t.test('a master that only pauses its writes takes them again', async (t) => {
  const { master, end, takesWrites } = await start('paused');
  await master.command('CLIENT', 'PAUSE', '60000', 'WRITE');
  t.equal(await end(), 'undone');
  t.ok(await takesWrites());
});

t.test('a master that waits for its replica takes writes again', async (t) => {
  const { replica, stage, failOver, end, takesWrites } = await start('waits');
  replica.pause();
  t.ok(await takesWrites(), 'a write that the replica does not have');
  await failOver();
  t.equal(await stage(), 'waits');
  t.notOk(await takesWrites());
  t.equal(await end(), 'undone');
  t.equal(await stage(), 'idle');
  t.ok(await takesWrites());
  replica.resume();
});

t.test('a master that offers its replica to take over takes no writes while the replica may accept', async (t) => {
  const { master, replica, stage, failOver, end, takesWrites } = await start('offers');
  replica.pause();
  await failOver('FORCE', 'TIMEOUT', '1');
  await waitFor('the offer', stage, { until: (now) => now === 'offers' });
  const ending = end();
  await waitFor('the abort', stage, { until: (now) => now === 'idle' });
  t.notOk(await takesWrites());
  replica.resume();
  const [result, role] = [await ending, await replica.role()];
  t.equal(result, role === 'master' ? 'promoted' : 'undone');
  t.equal(await takesWrites(), result === 'undone');
  t.equal(await master.role(), 'master');
});

t.test('a replica that does not answer is not taken for one that was not promoted', async (t) => {
  const { replica, stage, failOver, end } = await start('silent');
  replica.pause();
  await failOver('FORCE', 'TIMEOUT', '1');
  await waitFor('the offer', stage, { until: (now) => now === 'offers' });
  t.equal(await end(), 'unknown');
  replica.resume();
});

t.test('a master that has handed over, and one that is gone', async (t) => {
  const { master, replica, failOver, end } = await start('done');
  await failOver();
  await waitFor('the promotion', () => replica.role(), { until: (role) => role === 'master' });
  t.equal(await end(), 'promoted');
  await master.kill();
  t.equal(await end(), 'unknown');
});
