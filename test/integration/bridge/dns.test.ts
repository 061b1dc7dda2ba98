import t, { type Test } from 'tap';
import { Secret } from '../../../lib/config/secret.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { Shard } from '../../sandbox/redis.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { failOver, failOverTo, only, recordOf, servicesOf, startBridge } from '../support/bridging.ts';
import { sampleDns } from '../support/resolving.ts';

// The name of a master goes from the old address to the new one: an observer that asks every 5 ms never gets an empty answer.
t.setTimeout(240_000);
const sandbox = await Sandbox.openFor(t, { name: 'dns' });
const [consul, ...shards] = await Promise.all([
  sandbox.consul(),
  ...['killed', 'ordered', 'planned', 'stopped', 'announced'].map((name) => sandbox.redis({ name })),
  sandbox.redis({ name: 'refused', password: 'right' }),
]);
const sentinels = await sandbox.sentinels({ masters: shards });
const leader = only(sentinels);
await Promise.all(sentinels.map((sentinel) => sentinel.command('SENTINEL', 'DEBUG', 'info-period', 200)));
// One Sentinel judges first and is elected: split votes would end the failover.
for (const { name } of shards) {
  await leader.command('SENTINEL', 'SET', name, 'quorum', 1);
  for (const other of sentinels.slice(1))
    await other.command('SENTINEL', 'SET', name, 'down-after-milliseconds', 5_000);
}
const others = { masters: ['killed', 'ordered', 'planned', 'stopped'], consul, sentinels };
const [bridge] = [1, 2].map((n) => startBridge(t, { ...others, id: `bridge-${n}` }));
const announced = { masters: ['announced'], consul, sentinels, follow: 'announcement' } as const;
const refused = { masters: ['refused'], consul, sentinels, access: { password: new Secret('right') } };
const bridges = [
  bridge,
  ...[3, 4].map((n) => startBridge(t, { ...announced, id: `bridge-${n}` })),
  startBridge(t, { ...refused, id: 'bridge-5' }),
  // It reaches the Sentinels, and no Redis: the other one does.
  startBridge(t, { ...refused, id: 'bridge-6', access: { password: new Secret('wrong') } }),
];

/** What the name of a shard's master answers from before `act` until the new master is confirmed. */
async function sampleDuring(
  t: Pick<Test, 'teardown' | 'comment'>,
  name: string,
  act: (shard: Shard) => Promise<unknown>,
): Promise<readonly string[]> {
  const shard = shards.find((one) => one.name === name);
  if (shard === undefined) throw new Error(`there is no shard ${name}`);
  await recordOf(consul, name);
  const sampler = sampleDns(t, consul.dns, `${name}.redis-master.service.consul`);
  await waitFor('the first answers', () => sampler.count > 5);
  await act(shard);
  const now = sampler.count;
  await waitFor('answers after the failover', () => sampler.count > now + 20);
  sampler.stop();
  if (sampler.seen.some(({ addresses }) => addresses.length === 0))
    for (const report of bridges.flatMap((one) => one?.reports.filter(({ key }) => key === name) ?? []))
      t.comment(JSON.stringify(report));
  return sampler.seen.map(({ addresses, fromMs, toMs }) => addresses.join() || `nothing for ${toMs - fromMs} ms`);
}

const change = ({ master, replicas }: Shard) => [master.address.host, only(replicas).address.host];

t.test('the name of a master is never empty', { jobs: 6 }, async (t) => {
  t.test('when the master is killed', async (t) => {
    const seen = await sampleDuring(t, 'killed', async ({ name, master, replicas }) => {
      await master.kill();
      await recordOf(consul, name, { master: only(replicas) });
    });
    t.strictSame(seen, change(shards[0] as Shard));
  });

  t.test('when Sentinel is ordered to fail over, and back at once', async (t) => {
    const seen = await sampleDuring(t, 'ordered', async ({ name, master, replicas }) => {
      await failOver(leader, name);
      await recordOf(consul, name, { master: only(replicas) });
      await failOverTo(leader, name, master.address);
      await recordOf(consul, name, { master });
    });
    t.strictSame(seen, [...change(shards[1] as Shard), shards[1]?.master.address.host]);
  });

  t.test('in a planned failover', async (t) => {
    const seen = await sampleDuring(t, 'planned', async ({ name, replicas }) => {
      // On a busy machine it refuses, because Consul does not answer in time.
      await waitFor('a planned failover', () => bridge?.part.failOver(name, {}), { timeoutMs: 90_000 });
      await recordOf(consul, name, { master: only(replicas) });
    });
    t.strictSame(seen, change(shards[2] as Shard));
  });

  t.test('when the master hangs', async (t) => {
    const seen = await sampleDuring(t, 'stopped', async ({ name, master, replicas }) => {
      master.pause();
      await recordOf(consul, name, { master: only(replicas) });
    });
    t.strictSame(seen, change(shards[3] as Shard));
  });

  t.test('when the Sentinels lose a master that one bridge reaches, and cannot fail it over', async (t) => {
    const seen = await sampleDuring(t, 'refused', async ({ name, servers }) => {
      const everySentinel = (password: string) =>
        Promise.all(sentinels.map((sentinel) => sentinel.command('SENTINEL', 'SET', name, 'auth-pass', password)));
      const check = async () =>
        only(await servicesOf(consul, name)).Checks.map(({ Notes, Status }) => `${Notes} ${Status}`);
      await everySentinel('wrong');
      for (const server of servers)
        for (const type of ['normal', 'pubsub']) await server.command('CLIENT', 'KILL', 'TYPE', type);
      await waitFor('the check', check, { until: (checks) => checks.includes('answering warning') });
      await everySentinel('right');
      await waitFor('the end', check, { until: (checks) => checks.includes('up passing'), timeoutMs: 60_000 });
    });
    // With the password, a Sentinel may promote the replica before it finds the master up.
    t.strictSame(seen, change(shards[5] as Shard).slice(0, Math.max(1, seen.length)));
  });

  t.test('when bridges follow the announcement only', async (t) => {
    const seen = await sampleDuring(t, 'announced', async ({ name, master, replicas }) => {
      await master.kill();
      await recordOf(consul, name, { master: only(replicas) });
    });
    t.strictSame(seen, change(shards[4] as Shard));
  });
});
