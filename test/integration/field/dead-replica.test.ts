import { readFileSync } from 'node:fs';
import t from 'tap';
import { formatAddress } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { only } from '../support/bridging.ts';

t.setTimeout(120_000);
const sandbox = await Sandbox.openFor(t, { name: 'field-replica' });
const [consul, shard] = await Promise.all([sandbox.consul(), sandbox.redis({ name: 'shard1', replicas: 1 })]);
const sentinel = only(await sandbox.sentinels({ count: 1, masters: [shard] }));

t.test('a replica that is gone leaves the file while Sentinel lists it, and returns with the process', async (t) => {
  const replica = only(shard.replicas);
  await sandbox.switchmaster({
    config: {
      consul: { address: consul.url },
      sentinel: { addresses: [formatAddress(sentinel.address)], masters: ['shard1'] },
      templates: [{ source: 'app.json.hbs', destination: sandbox.path('app.json') }],
    },
  });
  const hosts = () => {
    const { masters } = JSON.parse(readFileSync(sandbox.path('app.json'), 'utf8')) as {
      masters: { shard1: { replicas: { host: string }[] } };
    };
    return masters.shard1.replicas.map(({ host }) => host);
  };
  const until = (what: string, count: number) =>
    waitFor(what, hosts, { until: (listed) => listed.length === count, timeoutMs: 30_000 });
  t.strictSame(await until('the replica', 1), [replica.address.host]);
  await replica.kill();
  await until('the file without it', 0);
  t.equal(
    ((await sentinel.command('SENTINEL', 'REPLICAS', 'shard1')) as unknown[]).length,
    1,
    'Sentinel still lists it',
  );
  await replica.restart();
  t.strictSame(await until('the file with it', 1), [replica.address.host]);
});
