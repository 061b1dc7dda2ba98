import t from 'tap';
import { RedisPool } from '../../lib/client/redis-pool.ts';
import { waitFor } from '../sandbox/condition.ts';
import { Sandbox } from '../sandbox/sandbox.ts';

const sandbox = await Sandbox.openFor(t, { name: 'pool' });

t.test('a closed pool answers nobody and opens no connection', async (t) => {
  const { master } = await sandbox.redis({ name: 'm', replicas: 0 });
  const pool = new RedisPool({});
  pool.keep('m', [master.address]);
  await waitFor('a connection', () => pool.role(master.address, { timeoutMs: 500 }), {
    until: ({ role }) => role === 'master',
  });
  pool.close();
  t.match(await pool.role(master.address, { timeoutMs: 500 }), { role: 'unreachable' });
  await t.rejects(pool.command(master.address, [['PING']], { timeoutMs: 500 }), { code: 'redis-unreachable' });
  pool.keep('m', [master.address]);
  const clients = async () =>
    String(await master.command('CLIENT', 'LIST'))
      .trim()
      .split('\n').length;
  await waitFor('its connections to end', clients, { until: (count) => count === 1 });
});
