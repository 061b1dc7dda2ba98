import t from 'tap';
import { SentinelMonitoringLink } from '../../lib/client/sentinel-monitoring.ts';
import { waitFor } from '../sandbox/condition.ts';
import { Sandbox } from '../sandbox/sandbox.ts';

const sandbox = await Sandbox.openFor(t, { name: 'monitoring' });
const { master } = await sandbox.redis({ name: 'shard1', replicas: 0 });

t.test('a master whose hostname the Sentinel cannot resolve does not hide the others', async (t) => {
  const { host, port } = master.address;
  const monitored = `dead no.such.host.invalid 6379 1\nsentinel monitor shard1 ${host} ${port} 1`;
  const [sentinel] = await sandbox.sentinels({
    count: 1,
    masters: [],
    config: { 'sentinel resolve-hostnames': 'yes', 'sentinel monitor': monitored },
  });
  if (sentinel === undefined) throw new Error('one was asked for');
  const link = new SentinelMonitoringLink(sentinel.address, {});
  t.teardown(() => link.close());
  const { masters } = await waitFor('an answer', () => link.monitoring({ timeoutMs: 1_000 }));
  const addresses = masters.map(({ name, address }) => [name, address]);
  t.strictSame(Object.fromEntries(addresses), { dead: undefined, shard1: master.address });
});
