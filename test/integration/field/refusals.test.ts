import { spawnSync } from 'node:child_process';
import t from 'tap';
import { formatAddress } from '../../../lib/model/address.ts';
import { runCommand } from '../../cmd/command.ts';
import { nodeEnvironment, programFile } from '../../runner/environment.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { inOwnNetwork } from '../../sandbox/namespace.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { only } from '../support/bridging.ts';

/* Servers that run and cannot be used: every view names the cause and what to do about it. */

t.setTimeout(240_000);
const sandbox = await Sandbox.openFor(t, { name: 'field-refusals' });
const [consul, shard] = await Promise.all([sandbox.consul(), sandbox.redis({ name: 'shard1', replicas: 1 })]);
const sentinel = only(await sandbox.sentinels({ count: 1, masters: [shard] }));
const replica = only(shard.replicas);

t.test('maxclients, TLS on one side only and another protocol are named by every view', async (t) => {
  const full = formatAddress(replica.address);
  const plain = formatAddress(shard.master.address);
  const { host } = consul.http;
  const http = formatAddress({ host, port: Number(new URL(consul.url).port) });
  await replica.command('CONFIG', 'SET', 'maxclients', '1');
  const daemon = await sandbox.localDaemon({
    ready: '/live',
    config: {
      consul: { address: consul.url },
      sentinel: { addresses: [formatAddress(sentinel.address)], masters: ['shard1'] },
      register: [
        { kind: 'redis', name: 'shard1', address: plain, tls: true },
        { kind: 'redis', name: 'shard1', address: full },
      ],
      cluster: [{ name: 'web', seeds: [http] }],
    },
  });
  const wanted = [
    new RegExp(`Redis ${full} does not let the bridge in \\(has reached maxclients.*raise maxclients`),
    new RegExp(`redis ${plain} is warning: does not speak TLS on this port; remove tls`),
    new RegExp(`redis ${full} is critical: has reached maxclients`),
    /web: no view of the cluster .*speaks another protocol; correct the port/,
  ];
  const status = () => runCommand(['status', '--api', `http://${formatAddress(daemon.api)}`]);
  const { code, stdout } = await waitFor('status to name all', status, {
    until: (shown) => wanted.every((pattern) => pattern.test(shown.stdout)),
    timeoutMs: 30_000,
  });
  t.equal(code, 1, stdout);
  const checked = await runCommand(['check', '--online', '--config', daemon.configFile]);
  t.equal(checked.code, 1);
  t.match(checked.stdout, new RegExp(`redis ${full} refuses us: .*has reached maxclients .*; raise maxclients`));
  t.match(checked.stdout, new RegExp(`redis ${plain} answers`), 'with the settings of the bridge');
  t.match(checked.stdout, new RegExp(`redis ${plain} does not answer: .*does not speak TLS on this port`));
  t.match(checked.stdout, new RegExp(`cluster ${http} does not answer: .*speaks another protocol`));
  const examined = await runCommand(['doctor', '--config', daemon.configFile]);
  t.match(examined.stdout, /has reached maxclients/);
  await daemon.stop();
});

t.test('a server in sentinel.addresses that is no Sentinel is named by every view', async (t) => {
  const redis = formatAddress(shard.master.address);
  const { host, port } = new URL(consul.url);
  const http = `${host.split(':')[0]}:${port}`;
  const addresses = [formatAddress(sentinel.address), redis, http];
  const daemon = await sandbox.localDaemon({
    name: 'wrong-sentinels',
    ready: '/live',
    config: { consul: { address: consul.url }, sentinel: { addresses, masters: ['shard1'] } },
  });
  const isNoSentinel = `Sentinel ${redis} cannot be reached \\(is a Redis, not a Sentinel; name the port of a Sentinel`;
  const isHttp = `Sentinel ${http} cannot be reached \\(speaks another protocol; correct the port`;
  const status = () => runCommand(['status', '--api', `http://${formatAddress(daemon.api)}`]);
  await waitFor('status to name both', status, {
    until: ({ stdout }) => new RegExp(isNoSentinel).test(stdout) && new RegExp(isHttp).test(stdout),
    timeoutMs: 30_000,
  });
  const { sentinels } = (await daemon.get('/v1/sentinels')).body as {
    sentinels: { address: { port: number }; up: boolean; error: string | null }[];
  };
  const of = (address: string) => sentinels.find((one) => address.endsWith(`:${one.address.port}`));
  t.match(of(formatAddress(sentinel.address)), { up: true, error: null });
  t.match(of(redis), { up: false, error: /is a Redis, not a Sentinel/ });
  t.match(of(http), { up: false, error: /speaks another protocol/ });
  const examined = await runCommand(['doctor', '--config', daemon.configFile]);
  t.match(examined.stdout, /is a Redis, not a Sentinel/);
  t.match(examined.stdout, /speaks another protocol/);
  await daemon.stop();
});

t.test('a Consul agent that is asked without TLS, or with, is named', async (t) => {
  const other = consul.url.replace('http:', 'https:');
  const config = sandbox.write('https.yml', JSON.stringify({ consul: { address: other } }));
  const { code, stdout } = await runCommand(['check', '--online', '--config', config]);
  t.equal(code, 1);
  t.match(stdout, /consul \S+ does not answer: .*the agent does not speak TLS on this port; remove tls/);
});

t.test('a server of another kind is named, and a missing password has its fix', async (t) => {
  const [plain, closed] = await Promise.all([
    sandbox.redis({ name: 'plain', replicas: 0 }),
    sandbox.redis({ name: 'closed', replicas: 0, password: 'secret' }),
  ]);
  const [sentinel] = await sandbox.sentinels({ count: 1, masters: [plain] });
  const redis = formatAddress(plain.master.address);
  const other = formatAddress(sentinel?.address ?? plain.master.address);
  const locked = formatAddress(closed.master.address);
  const config = sandbox.write(
    'kinds.yml',
    JSON.stringify({
      consul: { address: consul.url },
      sentinel: { addresses: [redis], masters: ['*'] },
      cluster: [{ name: 'c', seeds: [redis] }],
      register: [
        { kind: 'redis', name: 'one', address: other },
        { kind: 'redis', name: 'two', address: locked },
        { kind: 'sentinel', address: redis },
      ],
    }),
  );
  const { code, stdout } = await runCommand(['check', '--online', '--config', config]);
  t.equal(code, 1);
  const wanted = [
    `sentinel ${redis} does not answer: SENTINEL .* is a Redis, not a Sentinel; name the port of a Sentinel`,
    `cluster ${redis} does not answer: CLUSTER .* is not a node of a cluster; set cluster-enabled yes`,
    `redis ${other} does not answer: the server is a Sentinel, not a Redis; name the port of a Redis`,
    `redis ${locked} refuses us: ROLE .*NOAUTH.*; set passwordFile`,
    `sentinel ${redis} does not answer: the server is a Redis, not a Sentinel`,
  ];
  for (const line of wanted) t.match(stdout, new RegExp(`^${line}`, 'm'));
});

t.test('protected mode is named, for Redis and Sentinel', async (t) => {
  // From another address than a loopback one, in a network of its own.
  const config = sandbox.write(
    'protected.yml',
    JSON.stringify({
      consul: { address: '10.77.0.1:8500' },
      sentinel: { addresses: ['10.77.0.1:26379'], masters: ['*'] },
      register: [{ kind: 'redis', name: 'shard1', address: '10.77.0.1:6379' }],
    }),
  );
  const sentinelConf = sandbox.write('protected.conf', 'port 26379\nprotected-mode yes\n');
  const script = `
    ip addr add 10.77.0.1/32 dev lo
    redis-server --port 6379 --protected-mode yes --save '' >/dev/null & first=$!
    redis-server ${sentinelConf} --sentinel >/dev/null & second=$!
    for port in 6379 26379; do until redis-cli -p $port PING >/dev/null 2>&1; do sleep 0.05; done; done
    "$@"; code=$?
    kill $first $second; wait; exit $code`;
  const argv = [process.execPath, programFile(), 'check', '--online', '--json', '--config', config];
  const [command, ...words] = inOwnNetwork(['sh', '-c', script, 'sh', ...argv]);
  const env = { ...nodeEnvironment(), ...sandbox.env };
  const { status, stdout, stderr } = spawnSync(command, words, { env, encoding: 'utf8' });
  t.equal(status, 1, stderr);
  const { servers } = JSON.parse(stdout) as { servers: { server: string; fault?: string; hint?: string }[] };
  t.match(
    servers.map(({ server, fault }) => [server, fault]),
    [
      ['consul 10.77.0.1:8500', 'not-listening'],
      ['sentinel 10.77.0.1:26379', 'protected-mode'],
      ['redis 10.77.0.1:6379', 'protected-mode'],
    ],
  );
  t.match(servers[2]?.hint, 'set a password at the server');
});
