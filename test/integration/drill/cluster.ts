// Drills of a Redis Cluster: npm run test:cluster. The short form is in test/drill.
import t from 'tap';
import { formatAddress } from '../../../lib/model/address.ts';
import { runCommand } from '../../cmd/command.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { RedisServer } from '../../sandbox/redis.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { startCluster, untilRecord } from '../support/clustering.ts';

/* A drill kills a node of a Redis Cluster. */
t.setTimeout(180_000);
const sandbox = await Sandbox.openFor(t, { name: 'cluster-drill' });
const [consul, { nodes }] = await Promise.all([sandbox.consul(), startCluster(sandbox, { name: 'sessions' })]);
const [first, , , replica] = nodes as [RedisServer, RedisServer, RedisServer, RedisServer];
const daemon = await sandbox.switchmaster({
  config: {
    consul: { address: consul.url },
    cluster: [{ name: 'sessions', seeds: [formatAddress(first.address)], onCrash: 'failover' }],
  },
});
const common = ['--config', daemon.configFile, '--api', `http://${formatAddress(daemon.api)}`];
const drill = (node: RedisServer, ...more: string[]) =>
  runCommand(['drill', 'sessions', '--kill', '--node', formatAddress(node.address), ...common, ...more]);

t.test('a drill kills the master of a shard, and measures from then on', async (t) => {
  await untilRecord(consul, 'sessions', { what: 'all shards', until: ({ shards }) => shards.length === 3 });
  const refused = await drill(replica, '--yes');
  t.equal(refused.code, 1);
  t.match(refused.stderr, /nothing was killed: .* is no master of sessions with slots/);
  const unconfirmed = await drill(first);
  t.equal(unconfirmed.code, 2, 'without a terminal it needs --yes');
  t.ok(first.running);
  const started = sandbox.path('started');
  const { code, stdout, stderr } = await drill(
    first,
    '--yes',
    '--json',
    '--state',
    sandbox.path('state'),
    '--start',
    `touch ${started}`,
  );
  t.equal(code, 0, stderr);
  t.match(JSON.parse(stdout), {
    name: 'sessions',
    way: 'kill',
    from: first.address,
    to: replica.address,
    stages: { write: Number, record: Number },
    writers: [],
  });
  t.notOk(first.running);
  t.equal(await replica.role(), 'master');
  const keys = await replica.command('KEYS', 'switchmaster:drill:*');
  t.strictSame(keys, [], 'the list is deleted');
  await waitFor('the command of --start', () => import('node:fs').then(({ existsSync }) => existsSync(started)));
});
