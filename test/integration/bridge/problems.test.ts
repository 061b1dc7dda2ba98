import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import t, { type Test } from 'tap';
import { ConsulClient } from '../../../lib/client/consul.ts';
import { CatalogWatches } from '../../../lib/consul/watches.ts';
import { type Address, formatAddress } from '../../../lib/model/address.ts';
import { runCommand } from '../../cmd/command.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { LocalDaemon } from '../../sandbox/local-daemon.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { only } from '../support/bridging.ts';

/* Problems beside a correct record: the daemon reports them in the log, its API, metrics and commands. */
// A busy machine takes its time.
t.setTimeout(480_000);
const longWait = { timeoutMs: 60_000 };
const sandbox = await Sandbox.openFor(t, { name: 'problems' });
const password = 'secret-of-redis';
const [consul, shard] = await Promise.all([sandbox.consul(), sandbox.redis({ name: 'shard1', replicas: 1, password })]);
const sentinels = await sandbox.sentinels({ count: 3, masters: [shard] });
const config = {
  consul: { address: consul.url },
  sentinel: {
    addresses: sentinels.map(({ address }) => formatAddress(address)),
    masters: ['shard*'],
    redis: { passwordFile: sandbox.write('redis.password', `${password}\n`) },
  },
};

/** With the config above, once it lets the bridge in. */
let running: LocalDaemon;

const status = (daemon: LocalDaemon) => runCommand(['status', '--api', `http://${formatAddress(daemon.api)}`]);
const text = async (daemon: LocalDaemon, path: string) => JSON.stringify((await daemon.get(path)).body);

/** Until `status` says `wanted` and fails. */
const unwell = (daemon: LocalDaemon, wanted: RegExp) =>
  waitFor(`status to say ${wanted}`, () => status(daemon), {
    until: ({ code, stdout }) => code === 1 && wanted.test(stdout),
    ...longWait,
  });

const well = (daemon: LocalDaemon) =>
  waitFor('all to be well', () => status(daemon), { until: ({ code }) => code === 0, ...longWait });

t.test('every view reports a Redis that refuses the bridge', async (t) => {
  const wrong = { ...config, sentinel: { ...config.sentinel, redis: {} } };
  const daemon = await sandbox.localDaemon({ name: 'refused', config: wrong });
  for (const { address } of shard.servers)
    await unwell(daemon, new RegExp(`Redis ${formatAddress(address)} does not let the bridge in \\(NOAUTH`));
  t.match(await text(daemon, '/v1/masters/shard1'), '"kind":"redis-denied"');
  t.match(
    await text(daemon, '/metrics'),
    'switchmaster_problem{code=\\"redis-denied\\",subject=\\"master/shard1\\",level=\\"warning\\"} 1',
  );
  const lines = daemon.logLines().filter((line) => /NOAUTH/.test(String(line.summary)) && line.level === 'warn');
  t.equal(lines.length, 2, `each once: ${JSON.stringify(lines)}`);
  const asked = await runCommand(['check', '--online', '--config', daemon.configFile]);
  t.equal(asked.code, 1);
  t.match(asked.stdout, `redis ${formatAddress(shard.master.address)} refuses us: ROLE at`);

  await daemon.reload(config);
  await well(daemon);
  const good = await runCommand(['check', '--online', '--config', daemon.configFile]);
  t.match(good.stdout, `redis ${formatAddress(shard.master.address)} answers: lets the bridge in, as a master`);
  t.equal(good.code, 0, good.stdout);
  t.notMatch(await text(daemon, '/metrics'), 'redis-denied');
  running = daemon;
});

t.test(
  'the bridge reports an instance that somebody else registered with the tag of a master, and does not change it',
  async (t) => {
    const foreign = { Name: 'redis-master', ID: 'left-over', Address: '9.9.9.9', Port: 1, Tags: ['shard1'] };
    await consul.put('/v1/agent/service/register', foreign);
    const { stdout } = await unwell(
      running,
      /shard1: somebody else registered 9\.9\.9\.9:1 \(instance left-over on node /,
    );
    t.match(stdout, 'as redis-master with this master');
    const logged = () => running.logLines().filter((line) => /9\.9\.9\.9/.test(String(line.summary)));
    const lines = await waitFor('the log to name it', logged, { until: (found) => found.length > 0, ...longWait });
    t.strictSame(
      lines.map(({ level, key, msg }) => [level, key, msg]),
      [['warn', 'shard1', 'held']],
    );
    const examined = await runCommand(['doctor', '--json', '--config', running.configFile]);
    t.match(examined.stdout, '"foreign-instance"');
    t.equal((await consul.dnsA('shard1.redis-master.service.consul')).length, 2, 'it is not ours to remove');
    await consul.put('/v1/agent/service/deregister/left-over');
    const place = { Node: 'redis-shard1', CheckID: '_node_maintenance' };
    const check = { ...place, Name: 'Node Maintenance Mode', Status: 'critical' };
    await consul.put('/v1/catalog/register', { Node: place.Node, SkipNodeUpdate: true, Check: check });
    await unwell(running, /shard1: somebody else's check _node_maintenance on node redis-shard1 is critical, so DNS/);
    const again = await runCommand(['doctor', '--json', '--config', running.configFile]);
    t.match(again.stdout, '"foreign-check"');
    await consul.put('/v1/catalog/deregister', place);
    await well(running);
    const recovered = () => running.logLines().some(({ loop, msg }) => loop === 'problem' && msg === 'recovered');
    await waitFor('the log to say that it recovered', recovered, longWait);
  },
);

t.test('status names a Sentinel in TILT mode until it has ended', async () => {
  const [tilted = only([])] = sentinels;
  const at = formatAddress(tilted.address);
  // Its timer runs every tenth of a second, so each run is late now.
  await tilted.command('SENTINEL', 'DEBUG', 'tilt-trigger', 1);
  await unwell(
    running,
    new RegExp(`sentinel ${at} {2}agrees, in TILT mode for [^]*Sentinel ${at} is in TILT mode since`),
  );
  await tilted.command('SENTINEL', 'DEBUG', 'tilt-trigger', 60_000, 'tilt-period', 100);
  await well(running);
});

t.test('status fails for a Sentinel that names another master, and for an instance that is down', async () => {
  const other = await sandbox.redis({ name: 'other', replicas: 0 });
  const staleMaster = only(
    await sandbox.sentinels({ count: 1, name: 'staleMaster', masters: [{ ...other, name: 'shard1' } as typeof other] }),
  );
  const dead = await sandbox.address();
  const addresses = [...config.sentinel.addresses, formatAddress(staleMaster.address)];
  await running.reload({
    ...config,
    sentinel: { ...config.sentinel, addresses },
    register: [{ kind: 'redis', name: 'shard1', address: formatAddress(dead) }],
  });
  await unwell(running, new RegExp(`Not well:[^]*names ${formatAddress(other.master.address)}`));
  // The bridge was built again, and knows no check of the master before its first run.
  const critical = `shard1 {2}.* {2}passing[^]*Not well:[^]*check of redis ${formatAddress(dead)} is critical`;
  await unwell(running, new RegExp(critical));
  await running.reload(config);
  await well(running);
});

t.test('the bridge reports a Redis that the Sentinels see up and that it cannot reach', async () => {
  const { sentinel } = config;
  await running.reload({ ...config, sentinel: { ...sentinel, redis: { ...sentinel.redis, tls: true } } });
  await unwell(running, new RegExp(`Redis ${formatAddress(shard.master.address)} is up to a Sentinel, but the bridge`));
  await running.reload(config);
  await well(running);
});

t.test('the daemon reports a desired master that it cannot set up', async (t) => {
  const master = JSON.stringify({ ...shard.master.address, quorum: 2, options: {} });
  await consul.putKey('redis/desired/cache', master);
  await consul.putKey('redis/desired/shard9', 'no master');
  await unwell(running, /desired\/cache: desired\/cache is ignored: sentinel.masters does not match/);
  const { stdout } = await unwell(running, /desired\/shard9: the key desired\/shard9 does not hold a master/);
  t.notMatch(stdout, 'desired/shard1');
  const lines = running.logLines().filter(({ loop, level }) => loop === 'provisioner' && level === 'warn');
  t.strictSame(lines.map(({ key }) => key).toSorted(), ['cache', 'shard9']);
  await Promise.all(['cache', 'shard9'].map((name) => consul.delete(`/v1/kv/redis/desired/${name}`)));
  await well(running);
});

t.test('the log reports once what cannot be reached from the start, and once when it answers', async (t) => {
  await running.stop();
  const [sentinelAt, consulAt] = [await sandbox.address(), await sandbox.address()];
  const nobody = {
    consul: { address: `http://${formatAddress(consulAt)}` },
    sentinel: { ...config.sentinel, addresses: [formatAddress(sentinelAt)] },
  };
  const daemon = await sandbox.localDaemon({ name: 'alone', config: nobody, ready: '/live' });
  const linesOf = (msg: string) => daemon.logLines().filter((line) => line.msg === msg);
  await waitFor('the Sentinel to be missed', () => linesOf('sentinel lost').length, {
    until: (n) => n > 0,
    ...longWait,
  });
  await waitFor('Consul to be missed', () => linesOf('cannot read from consul').length, {
    until: (n) => n > 0,
    ...longWait,
  });
  t.match(linesOf('sentinel lost')[0], { level: 'warn', sentinel: formatAddress(sentinelAt) });
  const proxies = await Promise.all([pipe(t, sentinelAt, sentinels[0]?.address), pipe(t, consulAt, consul.http)]);
  await waitFor('the Sentinel', () => linesOf('sentinel connected').length, { until: (n) => n > 0, ...longWait });
  await waitFor('Consul', () => linesOf('reading from consul again').length, { until: (n) => n > 0, ...longWait });
  t.strictSame([linesOf('sentinel lost').length, linesOf('cannot read from consul').length], [1, 1]);
  await daemon.stop();
  for (const proxy of proxies) proxy.close();
});

t.test('a successful transaction ends the backoff of watches that had failed', async (t) => {
  const agent = await sandbox.consul({ name: 'returning' });
  const client = new ConsulClient({ ...agent.http, onTransaction: () => watches.retryNow() });
  const longMs = 600_000;
  const watches = new CatalogWatches({ client, limits: { backoff: { initialMs: longMs, maxMs: longMs } } });
  t.teardown(async () => {
    await watches.close();
    client.close();
  });
  const follow = watches.follow({ kind: 'key-tree', prefix: 'some/' }, () => {});
  const state = () => follow.state.kind;
  await waitFor('the watch', state, { until: (kind) => kind === 'current', ...longWait });
  await agent.kill();
  await waitFor('the watch to fail', state, { until: (kind) => kind === 'stale', ...longWait });
  await agent.start();
  t.equal(state(), 'stale', 'by itself it would wait for long');
  await client.transact([{ kind: 'kv-cas', key: 'some/key', value: 'value', index: 12_345 }]);
  await waitFor('the watch to read', state, { until: (kind) => kind === 'current', ...longWait });
});

/** What listens at `from` is `to`. */
async function pipe(t: Pick<Test, 'teardown'>, from: Address, to: Address | undefined): Promise<Server> {
  const server = createServer((socket) => {
    const onward = connect({ ...to } as Address);
    for (const [one, other] of [[socket, onward] as const, [onward, socket] as const]) {
      one.pipe(other);
      one.on('error', () => other.destroy());
    }
  });
  t.teardown(() => server.close());
  server.listen({ ...from });
  await once(server, 'listening');
  return server;
}
