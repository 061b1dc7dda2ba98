import t from 'tap';
import { demote } from '../../../lib/bridge/apply/fence.ts';
import { RedisPool } from '../../../lib/client/redis-pool.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { RedisConfig } from '../../sandbox/redis.ts';
import { redisCli } from '../../sandbox/resp.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';

/* Operators rename commands away. A former master becomes a replica whatever else its server refuses. */

const sandbox = await Sandbox.openFor(t, { name: 'fence' });
const pool = new RedisPool({});
t.teardown(() => pool.close());
const to = { host: '127.9.9.9', port: 6379 };

async function startMaster(name: string, config: RedisConfig) {
  const { master } = await sandbox.redis({ name, replicas: 0, config });
  pool.keep(name, [master.address]);
  await waitFor('a connection', () => pool.role(master.address, { timeoutMs: 500 }), {
    until: ({ role }) => role === 'master',
  });
  return master.address;
}

const rows: readonly (readonly [command: string, refused: RegExp | undefined])[] = [
  ['CONFIG', /CONFIG REWRITE \(ERR unknown command/],
  ['CLIENT', /CLIENT KILL \(ERR unknown command.*CLIENT UNPAUSE/],
  ['REPLICAOF', undefined],
  ['MULTI', undefined],
  ['EXEC', undefined],
];

for (const [command, refused] of rows) {
  t.test(`a server without ${command} becomes a replica, and what it refuses is reported`, async (t) => {
    const address = await startMaster(command, { 'rename-command': `${command} ""` });
    const outcome = await demote(pool, { address, master: to });
    t.match(await redisCli(address, ['ROLE']), ['slave', to.host, to.port]);
    if (outcome.kind === 'failed') throw outcome.error;
    const described = outcome.refused?.join(', ') ?? '';
    if (refused === undefined) t.equal(described, '');
    else t.match(described, refused);
  });
}

t.test(
  'a server that can be made a replica by no command stays paused, and the first refusal is reported',
  async (t) => {
    const config = { 'rename-command': 'REPLICAOF ""\nrename-command SLAVEOF ""' };
    const address = await startMaster('neither', config);
    await redisCli(address, ['CLIENT', 'PAUSE', 5000, 'WRITE']);
    t.match(await demote(pool, { address, master: to }), {
      kind: 'failed',
      error: { code: 'redis-refused', message: /REPLICAOF/ },
    });
    const written = await redisCli(address, ['SET', 'k', 'v'], { timeoutMs: 200 }).then(
      () => true,
      () => false,
    );
    t.notOk(written, 'the pause continues');
    await redisCli(address, ['CLIENT', 'UNPAUSE']);
  },
);
