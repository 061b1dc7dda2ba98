import t from 'tap';
import { formatAddress, sameAddress } from '../../../lib/model/address.ts';
import { runCommand } from '../../cmd/command.ts';
import { blocksOf, readPage } from '../../docs/pages.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { RedisServer } from '../../sandbox/redis.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { failOver, only, recordOf } from '../support/bridging.ts';

/* Users that lack one command each: its step alone is lost and named, and the record follows every failover. */

t.setTimeout(180_000);
const sandbox = await Sandbox.openFor(t, { name: 'field-redis-acl' });
const [consul, shard] = await Promise.all([sandbox.consul(), sandbox.redis({ name: 'shard1', replicas: 1 })]);
const sentinel = only(await sandbox.sentinels({ count: 1, masters: [shard] }));
const [atRedis = [], atSentinel = []] = blocksOf(await readPage('docs/reference/redis-acl.md'))
  .filter(({ language }) => language === 'redis')
  .map(({ content }) => content.trim().split(' '));
const passwordFile = sandbox.write('password', 'PASSWORD\n');
const user = { username: 'switchmaster', passwordFile };
await sentinel.command('SENTINEL', 'DEBUG', 'info-period', 200);

/** The bridge ends all connections to a former master, and so perhaps this one. */
async function setUser(server: Pick<RedisServer, 'name' | 'command'>, words: readonly string[]): Promise<void> {
  await waitFor(`${server.name} to take ${words.join(' ')}`, async () => (await server.command(...words)) !== null);
}

async function grant(): Promise<void> {
  for (const server of shard.servers) await setUser(server, atRedis);
  await setUser(sentinel, atSentinel);
}

await grant();
const daemon = await sandbox.localDaemon({
  config: {
    consul: { address: consul.url },
    sentinel: { addresses: [formatAddress(sentinel.address)], masters: ['shard1'], ...user, redis: user, resync: '1s' },
  },
});

const rows: readonly (readonly [
  server: 'redis' | 'sentinel',
  rules: string,
  before?: RegExp | undefined,
  after?: RegExp,
])[] = [
  ['redis', '-role', /does not let the bridge in \(NOPERM/],
  ['redis', '-info'],
  ['redis', '-client|pause', /refuses CLIENT PAUSE \(NOPERM.*: writes are not held/],
  ['redis', '-client|kill', /refuses CLIENT KILL \(NOPERM.*: clients of a former master stay connected/],
  ['redis', '-client|unpause', undefined, /refuses CLIENT UNPAUSE \(NOPERM/],
  ['redis', '-replicaof', /refuses REPLICAOF \(NOPERM.*: a former master is not made a replica before Sentinel does/],
  ['redis', '-config|rewrite', undefined, /refuses CONFIG REWRITE \(NOPERM/],
  ['redis', '-wait -config|get -config|set'],
  ['sentinel', '-ping'],
  ['sentinel', '-psubscribe', /refuses PSUBSCRIBE \(NOPERM.*asks it every second/],
  ['sentinel', 'resetchannels', /refuses PSUBSCRIBE \(NOPERM.*asks it every second/],
  ['sentinel', '-sentinel|myid', /refuses SENTINEL MYID/],
  ['sentinel', '-sentinel|master', /refuses SENTINEL MASTER \(/],
  ['sentinel', '-sentinel|replicas', /refuses SENTINEL REPLICAS .*: new replicas are not seen/],
  ['sentinel', '-sentinel|masters', /refuses SENTINEL MASTERS .*only if sentinel.masters names them/],
  ['sentinel', '-sentinel|sentinels', /refuses SENTINEL SENTINELS/],
  ['sentinel', '-sentinel|failover'],
];

const healthNames = (pattern: RegExp | undefined) =>
  pattern === undefined
    ? undefined
    : waitFor(`${pattern} in the health`, async () => JSON.stringify((await daemon.get('/v1/health')).body), {
        until: (text) => pattern.test(text),
        timeoutMs: 30_000,
      });

/** Until the Sentinel could promote the other server again. */
async function untilReplicating(replica: RedisServer): Promise<void> {
  await waitFor(`${replica.name} to replicate`, () => sentinel.command('SENTINEL', 'REPLICAS', 'shard1'), {
    until: (list) => Array.isArray(list) && list.length === 1 && String(list[0]).includes('master-link-status,ok'),
    timeoutMs: 30_000,
  });
}

/** One for each way in which the bridge does without a command. `npm run test:field` has all rows. */
const short = new Set(['-client|pause', '-client|unpause', '-replicaof', '-psubscribe', '-sentinel|master']);
const chosen = process.env.REFUSED_COMMANDS === 'all' ? rows : rows.filter(([, rules]) => short.has(rules));

for (const [where, rules, before, after] of chosen) {
  t.test(`${where} with ${rules} for the user`, async (t) => {
    for (const server of where === 'redis' ? shard.servers : [sentinel]) {
      await setUser(server, ['ACL', 'SETUSER', 'switchmaster', ...rules.split(' ')]);
      await setUser(server, ['CLIENT', 'KILL', 'USER', 'switchmaster']);
    }
    await healthNames(before);
    const { master } = await recordOf(consul, 'shard1');
    const [former, next] = sameAddress(master, shard.master.address) ? shard.servers : shard.servers.toReversed();
    if (former === undefined || next === undefined) throw new Error('there are two servers');
    await failOver(sentinel, 'shard1');
    await recordOf(consul, 'shard1', { master: next });
    t.pass('the record follows');
    await healthNames(after);
    if (rules === '-psubscribe' || rules === '-replicaof') {
      const { stdout } = await runCommand(['doctor', '--config', daemon.configFile]);
      t.match(stdout, rules === '-psubscribe' ? /refuses PSUBSCRIBE/ : /refuses REPLICAOF/);
    }
    await grant();
    await untilReplicating(former);
  });
}

t.test('what is granted again is not reported any more', async () => {
  const refused = async () => JSON.stringify((await daemon.get('/v1/health')).body).match(/refuses [A-Z ]+/g) ?? [];
  // CLIENT UNPAUSE and CONFIG REWRITE are sent again with the next demotion of the same server.
  await waitFor('the refusals to end', refused, {
    until: (all) => all.every((one) => /CLIENT UNPAUSE|CONFIG REWRITE/.test(one)),
    timeoutMs: 30_000,
  });
});
