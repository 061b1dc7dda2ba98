import t from 'tap';
import { formatAddress } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { RespConnection, redisCli } from '../../sandbox/resp.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { instanceOf, type Registered, startRegistrar, untilSays } from '../support/registering.ts';

t.setTimeout(240_000);
const sandbox = await Sandbox.openFor(t, { name: 'proxies' });
const [consul, shard] = await Promise.all([sandbox.consul(), sandbox.redis({ name: 'shard1', replicas: 0 })]);
const backend = formatAddress(shard.master.address);

t.test('a twemproxy passes while it answers PING', async (t) => {
  const listen = await sandbox.address();
  const pool = `pool:\n  listen: ${formatAddress(listen)}\n  redis: true\n  timeout: 200\n  servers:\n    - ${backend}:1 shard1\n`;
  const configFile = sandbox.write('nutcracker.yml', pool);
  const proxy = await sandbox.nutcracker({ configFile, listen });
  const id = `twemproxy-${formatAddress(listen)}`;
  startRegistrar(t, { consul, instances: [{ kind: 'twemproxy', address: listen }] });
  await untilSays(consul, id, 'passing: answers');
  t.strictSame((await instanceOf(consul, id))?.Service.Tags, ['twemproxy']);
  proxy.pause();
  await untilSays(consul, id, 'critical: does not answer in time');
  proxy.resume();
  await untilSays(consul, id, 'passing: answers');
  await proxy.kill();
  await untilSays(consul, id, 'critical: refuses connections');
});

t.test('the stats of twemproxy show its broken servers, ejected or not', async (t) => {
  const [kept, ejecting] = [await sandbox.address(), await sandbox.address()];
  const away = await sandbox.redis({ name: 'away', replicas: 0 });
  const pool = (name: string, listen: typeof kept, more: string) =>
    `${name}:
  listen: ${formatAddress(listen)}
  redis: true
  hash: fnv1a_64
  distribution: ketama
  timeout: 200
${more}  servers:
    - ${formatAddress(away.master.address)}:1 away
`;
  const eject = '  auto_eject_hosts: true\n  server_failure_limit: 1\n  server_retry_timeout: 300\n';
  const text = pool('kept', kept, '  auto_eject_hosts: false\n') + pool('ejecting', ejecting, eject);
  const configFile = sandbox.write('two-pools.yml', text);
  const proxy = await sandbox.nutcracker({ name: 'two-pools', configFile, listen: kept });
  const id = `twemproxy-${formatAddress(kept)}`;
  if (proxy.stats === undefined) throw new Error('it has no stats');
  startRegistrar(t, { consul, instances: [{ kind: 'twemproxy', address: kept, more: { stats: proxy.stats } }] });
  const use = (listen: typeof kept) => redisCli(listen, ['SET', 'key', 'value']).catch(() => undefined);
  const untilUsed = async () => {
    for (const listen of [kept, ejecting])
      await waitFor('the pool to answer', () => use(listen), { until: (reply) => reply === 'OK' });
  };
  await untilUsed();
  await untilSays(consul, id, 'passing: answers');
  await waitFor('its version', () => instanceOf(consul, id), {
    until: (found) => /^\d+\.\d+/.test(found?.Service.Meta.version ?? ''),
  });

  await away.master.kill();
  // twemproxy ejects it when its connection is lost; the other pool detects that at the next request.
  await untilSays(consul, id, 'warning: no server answers for ejecting/away');
  await use(kept);
  await untilSays(consul, id, 'warning: no server answers for ejecting/away, kept/away');
  t.match(await redisCli(kept, ['PING']), 'PONG', 'twemproxy answers PING itself');
  await away.master.start();
  await untilUsed();
  await untilSays(consul, id, 'passing: answers');

  away.master.pause();
  await use(kept);
  await untilSays(consul, id, 'warning: no server answers for kept/away');
  away.master.resume();
  await untilUsed();
  await untilSays(consul, id, 'passing: answers');
});

t.test('an HAProxy passes while it listens, and its stats socket shows its broken backends', async (t) => {
  const listen = await sandbox.address();
  const socket = sandbox.path('haproxy.sock');
  const configFile = sandbox.write(
    'haproxy.cfg',
    `global
    stats socket ${socket} mode 600 level admin
defaults
    mode tcp
    timeout connect 1s
    timeout client 10s
    timeout server 10s
frontend shard1
    bind ${formatAddress(listen)}
    default_backend shard1
backend shard1
    server master ${backend} check inter 100ms fall 1 rise 1
`,
  );
  await sandbox.haproxy({ configFile, listen });
  const id = `haproxy-${formatAddress(listen)}`;
  const registrar = startRegistrar(t, {
    consul,
    instances: [{ kind: 'haproxy', address: listen, more: { stats: socket, deregisterOnStop: true } }],
  });
  await untilSays(consul, id, 'passing: answers');
  const one = await waitFor('its version', () => instanceOf(consul, id), {
    until: (found) => found?.Service.Meta.version !== undefined,
  });
  t.match(one?.Service, { Tags: ['haproxy'], Meta: { version: /^\d+\.\d+/ } });
  const connection = await RespConnection.open(listen);
  t.equal(await connection.command('PING'), 'PONG');
  connection.close();
  await shard.master.kill();
  await untilSays(consul, id, 'warning: no server answers for shard1');
  await shard.master.start();
  await untilSays(consul, id, 'passing: answers');
  await registrar.stop();
  t.equal(await instanceOf(consul, id), undefined, 'it asked to be deregistered with the daemon');
});

t.test("Consul's own check by HTTP removes a proxy without a server from DNS, and restores it", async (t) => {
  const [listen, health] = [await sandbox.address(), await sandbox.address()];
  const configFile = sandbox.write(
    'haproxy-http.cfg',
    `defaults
    timeout connect 1s
    timeout client 10s
    timeout server 10s
frontend health
    mode http
    bind ${formatAddress(health)}
    monitor-uri /health
    monitor fail if { nbsrv(shard1) lt 1 }
frontend shard1
    mode tcp
    bind ${formatAddress(listen)}
    default_backend shard1
backend shard1
    mode tcp
    server master ${backend} check inter 100ms fall 1 rise 1
`,
  );
  await sandbox.haproxy({ name: 'haproxy-http', configFile, listen });
  const httpUrl = `http://${formatAddress(health)}/health`;
  startRegistrar(t, { consul, instances: [{ kind: 'haproxy', address: listen, checks: { httpUrl } }] });
  const id = `haproxy-${formatAddress(listen)}`;
  // By the agent: into the catalog it lets an output that changes alone only some minutes later.
  const own = async () =>
    (await consul.get<Record<string, Registered['Checks'][number]>>('/v1/agent/checks'))?.[`${id}:consul`];
  const untilOwn = (status: string, output: RegExp) =>
    waitFor(`Consul to find it ${status}`, own, {
      until: (check) => check?.Status === status && output.test(check.Output),
    });
  const dns = () => consul.dnsA('haproxy.redis-proxy.service.consul');
  await untilOwn('passing', /HTTP GET .*: 200/);
  await waitFor('it to be in DNS', dns, { until: (hosts) => hosts.join() === listen.host });
  await shard.master.kill();
  await untilOwn('critical', /HTTP GET .*: 503/);
  await waitFor('it to leave DNS', dns, { until: (hosts) => hosts.length === 0 });
  await shard.master.start();
  await untilOwn('passing', /HTTP GET .*: 200/);
  await waitFor('it to be back', dns, { until: (hosts) => hosts.join() === listen.host });
});
