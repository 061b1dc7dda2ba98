import t from 'tap';
import { formatAddress } from '../../lib/model/address.ts';
import { runProgram } from '../cmd/program.ts';
import { waitFor } from '../sandbox/condition.ts';
import type { Daemon } from '../sandbox/daemon.ts';
import { Sandbox } from '../sandbox/sandbox.ts';

/* What is wrong beside a record that is right: the daemon says so wherever somebody may look. */
// A busy machine takes its time.
t.setTimeout(240_000);
const patience = { timeoutMs: 60_000 };
const sandbox = await Sandbox.openFor(t, { name: 'troubles' });
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

const status = (daemon: Daemon) => runProgram(['status', '--api', `http://${formatAddress(daemon.api)}`]);
const text = async (daemon: Daemon, path: string) => JSON.stringify((await daemon.get(path)).body);

/** Until `status` says `wanted` and fails. */
const unwell = (daemon: Daemon, wanted: RegExp) =>
  waitFor(`status to say ${wanted}`, () => status(daemon), {
    until: ({ code, stdout }) => code === 1 && wanted.test(stdout),
    ...patience,
  });

const well = (daemon: Daemon) =>
  waitFor('all to be well', () => status(daemon), { until: ({ code }) => code === 0, ...patience });

t.test('a Redis that does not let the bridge in is told wherever somebody looks', async (t) => {
  const wrong = { ...config, sentinel: { ...config.sentinel, redis: {} } };
  const daemon = await sandbox.switchmaster({ name: 'refused', config: wrong });
  for (const { address } of shard.servers)
    await unwell(daemon, new RegExp(`Redis ${formatAddress(address)} does not let the bridge in \\(NOAUTH`));
  t.match(await text(daemon, '/v1/masters/shard1'), '"kind":"redis-denied"');
  t.match(
    await text(daemon, '/metrics'),
    'switchmaster_master_troubles{master=\\"shard1\\",kind=\\"redis-denied\\"} 2',
  );
  const told = daemon.logLines().filter((line) => /NOAUTH/.test(String(line.summary)) && line.level === 'warn');
  t.equal(told.length, 2, `each once: ${JSON.stringify(told)}`);
  const asked = await runProgram(['check', '--online', '--config', daemon.configFile]);
  t.equal(asked.code, 1);
  t.match(asked.stdout, `redis ${formatAddress(shard.master.address)} refuses us: ROLE at`);

  daemon.writeConfig(config);
  daemon.kill('SIGHUP');
  await well(daemon);
  const good = await runProgram(['check', '--online', '--config', daemon.configFile]);
  t.match(good.stdout, `redis ${formatAddress(shard.master.address)} answers: lets the bridge in, as a master`);
  t.equal(good.code, 0, good.stdout);
  t.notMatch(await text(daemon, '/metrics'), 'redis-denied');
  await daemon.stop();
});
