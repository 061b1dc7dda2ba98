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

t.test(
  'a link lasts as long as one master has its address, and a link that no master has until the next change',
  async (t) => {
    const { master } = await sandbox.redis({ name: 'shared', replicas: 0 });
    const other = await sandbox.redis({ name: 'other', replicas: 0 });
    const up: (readonly string[])[] = [];
    const pool = new RedisPool({}, { onUp: (_, owners) => up.push(owners) });
    t.teardown(() => pool.close());
    const connections = async () =>
      String(await master.command('CLIENT', 'LIST'))
        .trim()
        .split('\n').length - 1;
    pool.keep('a', [master.address]);
    pool.keep('b', [master.address]);
    await waitFor('a connection', connections, { until: (count) => count === 1 });
    await waitFor('its owners', () => up, { until: ({ length }) => length === 1 });
    t.strictSame(up, [['a', 'b']]);
    pool.keep('a', []);
    await pool.role(master.address, { timeoutMs: 500 });
    t.equal(await connections(), 1, 'b still has it');
    pool.keep('b', [other.master.address]);
    await waitFor('its connection to end', connections, { until: (count) => count === 0 });

    t.match(await pool.role(master.address, { timeoutMs: 500 }), { role: 'master' });
    t.equal(await connections(), 1, 'nobody has it');
    pool.keep('b', [other.master.address]);
    await waitFor('its connection to end again', connections, { until: (count) => count === 0 });
    pool.keep('b', [master.address]);
    await waitFor('a connection again', connections, { until: (count) => count === 1 });
  },
);
