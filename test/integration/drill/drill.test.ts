import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { formatAddress } from '../../../lib/model/address.ts';
import { runCommand } from '../../cmd/command.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { redisCli } from '../../sandbox/resp.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';

/* Drills on a whole stack: Sentinels, Consul with its DNS, HAProxy, and a file. */
// A busy machine takes its time.
t.setTimeout(240_000);
const sandbox = await Sandbox.openFor(t, { name: 'drill' });
const [consul, shard1, listen] = await Promise.all([
  sandbox.consul(),
  sandbox.redis({ name: 'shard1', replicas: 1 }),
  sandbox.address(),
]);
const sentinels = await sandbox.sentinels({ count: 3, masters: [shard1] });
// By default, Sentinel asks each Redis for its role every ten seconds, and makes old masters replicas only then.
for (const sentinel of sentinels) {
  await sentinel.command('SENTINEL', 'DEBUG', 'info-period', '200', 'publish-period', '200');
}
const tokenFile = sandbox.path('api.token');
sandbox.write('api.token', 'a-token-for-this-test');
const proxy = await sandbox.haproxy({ configFile: sandbox.path('haproxy.cfg'), listen, start: 'later' });
const socket = sandbox.path('haproxy.sock');
const daemon = await sandbox.switchmaster({
  config: {
    consul: { address: consul.url },
    sentinel: {
      addresses: sentinels.map(({ address }) => formatAddress(address)),
      masters: ['shard*'],
      onCrash: 'failover',
    },
    templates: [
      { source: 'app.json.hbs', destination: sandbox.path('app.json') },
      {
        source: 'haproxy.cfg.hbs',
        destination: sandbox.path('haproxy.cfg'),
        vars: { stats_socket: socket, bind: listen.host, ports: { shard1: listen.port } },
        reload: { haproxy: { socket, fallback: proxy.reloadCommand } },
      },
    ],
    api: { tokenFile },
  },
});
const api = `http://${formatAddress(daemon.api)}`;
const state = sandbox.path('state');
const argv = ['drill', 'shard1', '--config', daemon.configFile, '--proxy', formatAddress(listen)];
const common = ['--dns', formatAddress(consul.dns), '--state', state, '--api', api, '--token-file', tokenFile];

const write = `write through ${formatAddress(listen)}`;
const everyStage = ['dns', 'event', 'file app.json', 'file haproxy.cfg', 'record', 'service', 'write', write];

async function untilReady(): Promise<void> {
  // A Sentinel that was stopped for 2 s is in TILT mode for 30 s.
  const status = async () => (await runCommand(['status', '--api', api])).code === 0;
  await waitFor('all to be well', status, { timeoutMs: 90_000 });
  await waitFor('HAProxy to serve', () => redisCli(listen, ['PING']).catch(() => ''), {
    until: (said) => said === 'PONG',
  });
  await waitFor(
    'the Sentinels to see the replica up',
    () => Promise.all(sentinels.map((sentinel) => sentinel.replicaInfos('shard1'))),
    { until: (lists) => lists.every(([info]) => info?.['master-link-status'] === 'ok'), timeoutMs: 30_000 },
  );
}

t.test('without a terminal the command does nothing unless --yes is given', async (t) => {
  await untilReady();
  const { code, stderr } = await runCommand([...argv, ...common]);
  t.equal(code, 2);
  t.match(stderr, '--yes acts without asking');
});

t.test('a drill reports when each client followed, and that no write was lost', async (t) => {
  await untilReady();
  const { code, stdout, stderr } = await runCommand([...argv, ...common, '--yes', '--json']);
  t.equal(code, 0, stderr);
  const report = JSON.parse(stdout);
  t.match(report, { name: 'shard1', from: shard1.master.address, to: shard1.replicas[0]?.address, before: [] });
  t.strictSame(report.notSeen, {});
  t.strictSame(Object.keys(report.stages).sort(), everyStage);
  for (const [stage, ms] of Object.entries(report.stages))
    t.ok(Number(ms) > 0 && Number(ms) < 15_000, `${stage}: ${ms}`);
  t.ok(
    report.stages[write] >= report.stages.write,
    'no write goes through the proxy before the new master takes writes',
  );
  t.ok(report.stages.record < report.stages.event, 'the promotion is followed, not its announcement');
  const [writer] = report.writers;
  t.equal(writer.lost, 0);
  t.ok(writer.acknowledged > 10);
  t.ok(writer.longestGapMs < 15_000);
  const [master] = shard1.replicas;
  t.equal(await master?.command('EXISTS', 'switchmaster:drill:shard1'), 0, 'the drill deletes its writes');
});

t.test('a user without the rights of a drill is refused before anything fails over', async (t) => {
  await untilReady();
  const servers = [shard1.master, ...shard1.replicas];
  const masters = () => Promise.all(servers.map(async (server) => ((await server.command('ROLE')) as string[])[0]));
  const before = await masters();
  const passwordFile = sandbox.write('driller.password', 'secret');
  const sentinel = { addresses: sentinels.map(({ address }) => formatAddress(address)), masters: ['shard*'] };
  const redis = { username: 'driller', passwordFile };
  const config = { consul: { address: consul.url }, sentinel: { ...sentinel, redis } };
  const configFile = sandbox.write('driller.yml', JSON.stringify(config));
  const refused = {
    LRANGE: ['~*', '+role', '+rpush', '+expire', '+del', '+info', '+ping'],
    RPUSH: ['~other:*', '+@all'],
  };
  for (const [command, rules] of Object.entries(refused)) {
    for (const server of servers) await server.command('ACL', 'SETUSER', 'driller', 'reset', 'on', '>secret', ...rules);
    const { code, stderr } = await runCommand(['drill', 'shard1', '--config', configFile, ...common, '--yes']);
    t.equal(code, 1);
    t.match(
      stderr,
      new RegExp(
        `^redis-denied: the drill did not begin: .* refuses ${command} .*ACL SETUSER USER ~switchmaster:drill`,
      ),
    );
  }
  t.strictSame(await masters(), before);
});

t.test('the next drill compares itself with the last ones', async (t) => {
  await untilReady();
  const { code, stdout, stderr } = await runCommand([...argv, ...common, '--yes']);
  t.equal(code, 0, stderr);
  t.match(stdout, /^record +\d[\d.]* ms {2}[+-]?\d+ % against \d[\d.]* ms$/m);
  t.match(stdout, /^through .* writes acknowledged, none lost, longest gap \d[\d.]* ms$/m);
  t.match(stdout, 'Compared with the median of the last 1.');
  const lines = readFileSync(`${state}/drills.jsonl`, 'utf8').trimEnd().split('\n');
  t.equal(lines.length, 2);
});

t.test(
  'a drill reports the stages that it cannot observe, and does not begin if a proxy accepts no writes',
  async (t) => {
    const dead = ['--proxy', '127.0.0.1:9', ...common, '--yes'];
    const refused = await runCommand(['drill', 'shard1', '--config', daemon.configFile, ...dead]);
    t.equal(refused.code, 1);
    t.match(refused.stderr, /^failover-refused: the drill did not begin: 127\.0\.0\.1:9 accepts no writes/);
    t.equal((await runCommand(['drill', 'nobody', '--config', daemon.configFile, ...common, '--yes'])).code, 1);
    await untilReady();
    const blind = ['--dns', '127.0.0.1:9', ...common.slice(2), '--yes', '--json'];
    const { stdout, stderr } = await runCommand(['drill', 'shard1', '--config', daemon.configFile, ...blind]);
    t.equal(stderr, '');
    const { stages, notSeen } = JSON.parse(stdout);
    t.equal(stages.dns, null);
    t.type(notSeen.dns, 'string');
    t.ok(stages.record > 0);
  },
);

t.test('a drill that ends before its kill neither starts Redis again nor says that it was killed', async (t) => {
  await untilReady();
  const start = `touch ${sandbox.path('not-started')}`;
  const kill = [
    'drill',
    'shard1',
    '--config',
    daemon.configFile,
    ...common,
    '--proxy',
    '127.0.0.1:9',
    '--kill',
    '--yes',
  ];
  const [started, silent] = [await runCommand([...kill, '--start', start]), await runCommand(kill)];
  for (const { code, stderr } of [started, silent]) {
    t.equal(code, 1);
    // It may have waited for a replica in sync before.
    t.match(stderr, /^failover-refused: the drill did not begin: 127\.0\.0\.1:9 accepts no writes/m);
    t.notMatch(stderr, 'was killed');
  }
  t.notOk(existsSync(sandbox.path('not-started')));
  for (const server of [shard1.master, ...shard1.replicas]) t.equal(server.exit, undefined);
});

t.test('a drill with --kill kills the master that listens on this node, and measures the crash', async (t) => {
  await untilReady();
  const servers = [shard1.master, ...shard1.replicas];
  const roles = await Promise.all(servers.map(async (server) => ((await server.command('ROLE')) as string[])[0]));
  const master = servers[roles.indexOf('master')];
  // Sentinel itself would wait for longer, and the last failover was longer ago.
  for (const sentinel of sentinels) {
    await sentinel.command('SENTINEL', 'SET', 'shard1', 'down-after-milliseconds', 60_000, 'failover-timeout', 1_000);
  }
  // A bridge orders a failover only to a replica that it has measured.
  const lag = async () => {
    const answer = (await (await fetch(`${api}/v1/masters/shard1`)).json()) as {
      replicas: { lag: { behindMs: number | null } | null }[];
    };
    return answer.replicas[0]?.lag?.behindMs;
  };
  await waitFor('the replica to be measured', lag, { until: (ms) => typeof ms === 'number', timeoutMs: 30_000 });
  const start = `touch ${sandbox.path('started')}`;
  const kill = [...argv, ...common, '--kill', '--start', start, '--json'];
  const unconfirmed = await runCommand(kill);
  t.equal(unconfirmed.code, 2, 'nobody is there to confirm it');
  t.equal(master?.exit, undefined);
  const { stdout, stderr } = await runCommand([...kill, '--yes']);
  const report = JSON.parse(stdout);
  t.match(report, { name: 'shard1', way: 'kill', from: master?.address, before: [] }, stderr);
  t.strictSame(report.notSeen, {}, stderr);
  for (const stage of ['order', ...everyStage]) t.ok(report.stages[stage] > 0, `${stage}: ${report.stages[stage]}`);
  t.ok(report.stages.order < report.stages.write, 'a bridge ordered the failover');
  t.ok(report.withoutWritesMs > 0);
  await waitFor('the end of the process', () => master?.exit !== undefined);
  t.ok(existsSync(sandbox.path('started')), 'the command of --start ran');
});
