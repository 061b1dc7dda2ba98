import t from 'tap';
import { formatAddress } from '../../lib/model/address.ts';
import { waitFor } from '../sandbox/condition.ts';
import { Sandbox } from '../sandbox/sandbox.ts';

const sandbox = await Sandbox.openFor(t, { name: 'console' });

t.test('a warning of the client is in the log, in its format, and once', async (t) => {
  const [consul, shard] = await Promise.all([sandbox.consul(), sandbox.redis({ name: 'm' })]);
  const passwordFile = sandbox.write('password', 'wrong');
  const address = (server: (typeof shard.servers)[number]) => formatAddress(server.address);
  // A password for a Redis that has none: each connection warns.
  const register = shard.servers.map((server) => ({
    kind: 'redis',
    name: 'm',
    address: address(server),
    passwordFile,
  }));
  const daemon = await sandbox.switchmaster({ config: { consul: { address: consul.url }, register }, ready: '/live' });
  const said = () =>
    daemon
      .log()
      .split('\n')
      .filter((line) => line.includes('does not require a password'));
  await waitFor('the warning', said, { until: (lines) => lines.length > 0 });
  await waitFor('both to be registered', async () => (await daemon.get('/ready')).status === 200);
  t.equal(said().length, 1);
  t.match(JSON.parse(said()[0] ?? ''), { level: 'warn' });
});
