import t from 'tap';
import { formatAddress } from '../../lib/model/address.ts';
import { waitFor } from '../sandbox/condition.ts';
import { Sandbox } from '../sandbox/sandbox.ts';
import { blocksOf, readPage } from './pages.ts';

t.test("the docs' Redis users may do what a failover and its fencing take", async (t) => {
  const guide = await readPage('docs/guide/getting-started.md');
  const commands = blocksOf(guide).filter(({ language }) => language === 'redis');
  const [atRedis, atSentinel] = commands.map(({ content }) => content.trim().split(' '));
  if (atRedis === undefined || atSentinel === undefined) throw new Error('the guide has no commands');
  const sandbox = await Sandbox.openFor(t, { name: 'redis-acl' });
  const [consul, shard] = await Promise.all([sandbox.consul(), sandbox.redis({ name: 'shard1', replicas: 1 })]);
  const sentinels = await sandbox.sentinels({ count: 3, masters: [shard] });
  await Promise.all([
    ...shard.servers.map((server) => server.command(...atRedis)),
    ...sentinels.map((sentinel) => sentinel.command(...atSentinel)),
  ]);
  const passwordFile = sandbox.write('password', 'PASSWORD');
  const daemon = await sandbox.switchmaster({
    config: {
      consul: { address: consul.url },
      sentinel: {
        addresses: sentinels.map(({ address }) => formatAddress(address)),
        username: 'switchmaster',
        passwordFile,
        redis: { username: 'switchmaster', passwordFile },
      },
    },
  });
  await sentinels[0]?.command('SENTINEL', 'FAILOVER', 'shard1');
  // Sentinel itself would take ten seconds.
  await waitFor('the old master to be a replica', () => shard.master.role(), {
    until: (role) => role !== 'master',
    timeoutMs: 8_000,
  });
  const refused = daemon.logLines().filter((line) => /NOPERM|NOAUTH|redis-denied/.test(JSON.stringify(line)));
  t.strictSame(refused, []);
});
