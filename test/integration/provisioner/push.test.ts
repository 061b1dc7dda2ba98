import t from 'tap';
import { formatAddress } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';

// The resync is far: only what the Sentinels themselves report can wake the provisioner.
t.setTimeout(120_000);
const sandbox = await Sandbox.openFor(t, { name: 'provisioning-push' });
const [consul, shard] = await Promise.all([sandbox.consul(), sandbox.redis({ name: 'shard1' })]);
const sentinels = await sandbox.sentinels({ masters: [], count: 3 });
await sandbox.switchmaster({
  ready: '/live',
  config: {
    consul: { address: consul.url },
    sentinel: { addresses: sentinels.map(({ address }) => formatAddress(address)), resync: '10m' },
  },
});
const { host, port } = shard.master.address;
const desired = { host, port, quorum: 2, options: { 'down-after-milliseconds': 1_000 } };
const [, , last] = sentinels;

const count = async () => {
  const monitored = sentinels.map(async (one) => ((await one.command('SENTINEL', 'MASTERS')) as unknown[]).length);
  return (await Promise.all(monitored)).join();
};
const untilAll = (what: string) => waitFor(what, count, { until: (found) => found === '1,1,1', timeoutMs: 5_000 });

t.test('a master that somebody removed at one Sentinel is there again at once', async () => {
  await consul.putKey('redis/desired/shard1', JSON.stringify(desired));
  await untilAll('all Sentinels to monitor it');
  await last?.command('SENTINEL', 'REMOVE', 'shard1');
  await untilAll('the Sentinel to monitor it again');
});

t.test('a Sentinel that starts with nothing gets the master when it is connected', async () => {
  await last?.kill();
  last?.wipe();
  await last?.start();
  await untilAll('the Sentinel to monitor it');
});
