import t from 'tap';
import { formatAddress, sameAddress } from '../../../lib/model/address.ts';
import { runCommand } from '../../cmd/command.ts';
import { typeProgram } from '../../cmd/typed.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { recordOf } from '../support/bridging.ts';

/* What an operator orders by HTTP and on the command line, on real software. */
const token = 'a-token-for-this-test';
// A busy machine takes its time.
t.setTimeout(240_000);
const sandbox = await Sandbox.openFor(t, { name: 'steering' });
const [consul, shard1] = await Promise.all([sandbox.consul(), sandbox.redis({ name: 'shard1', replicas: 2 })]);
// Every failover here is ordered.
const sentinels = await sandbox.sentinels({ count: 3, masters: [shard1], downAfterMs: 10_000 });
// By default Sentinel reads the priority and the role of each Redis every ten seconds.
for (const sentinel of sentinels) await sentinel.command('SENTINEL', 'DEBUG', 'info-period', '200').catch(() => {});
const tokenFile = sandbox.path('api.token');
sandbox.write('api.token', `${token}\n`);
const config = {
  consul: { address: consul.url },
  sentinel: { addresses: sentinels.map(({ address }) => formatAddress(address)), masters: ['shard*'] },
  api: { tokenFile },
};
const daemon = await sandbox.localDaemon({ config });
const api = `http://${formatAddress(daemon.api)}`;
const common = ['--api', api, '--token-file', tokenFile];

async function untilReady(): Promise<void> {
  await recordOf(consul, 'shard1');
  await waitFor(
    'every Sentinel to see two replicas up',
    () => Promise.all(sentinels.map((sentinel) => sentinel.replicaInfos('shard1'))),
    {
      until: (lists) => lists.every((list) => list.filter((info) => info['master-link-status'] === 'ok').length === 2),
      timeoutMs: 60_000,
    },
  );
}

t.test('a failover by HTTP promotes the chosen replica', async (t) => {
  await untilReady();
  const [, successor] = shard1.replicas;
  if (successor === undefined) throw new Error('there are two replicas');
  const response = await fetch(`${api}/v1/masters/shard1/failover`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ replica: formatAddress(successor.address) }),
  });
  const report = (await response.json()) as Record<string, unknown>;
  t.equal(response.status, 200);
  t.match(report, { name: 'shard1', from: shard1.master.address, to: successor.address, epoch: 1 });
  await recordOf(consul, 'shard1', { master: successor });
  const { entries } = (await daemon.get('/v1/history?key=shard1&limit=100')).body as {
    entries: { loop: string; details: { step?: string } }[];
  };
  const steps = entries.filter(({ loop }) => loop === 'failover-step').map(({ details }) => details.step);
  const order = steps.reverse().filter((step) => step !== 'waiting');
  // On a machine that is busy, replicas are not in step: then the pause comes before the order.
  const ways = [
    ['checked', 'ordered', 'paused', 'caughtUp', 'promoted', 'confirmed', 'demoted'],
    ['checked', 'paused', 'caughtUp', 'ordered', 'promoted', 'confirmed', 'demoted'],
  ];
  t.ok(
    ways.some((way) => way.join() === order.join()),
    order.join(),
  );
  t.equal(entries.filter(({ loop }) => loop === 'failover').length, 1);
});

t.test('without a terminal and --yes, the command does nothing', async (t) => {
  const { code, stdout, stderr } = await runCommand(['failover', 'shard1', ...common]);
  t.equal(code, 2);
  t.equal(stdout, '');
  t.match(stderr, /Nothing was done: .*--yes/);
  t.equal((await runCommand(['rebase', 'shard1', ...common])).code, 2);
});

t.test('without the token, the daemon refuses the order', async (t) => {
  const missing = await runCommand(['failover', 'shard1', '--yes', '--api', api]);
  t.equal(missing.code, 2);
  t.match(missing.stderr, /needs the API token: .*--token-file/);
  const wrong = await runCommand(['failover', 'shard1', '--yes', '--api', api], { SWITCHMASTER_API_TOKEN: 'wrong' });
  t.equal(wrong.code, 1);
  t.match(wrong.stderr, /^request-denied: /);
});

t.test('on a terminal, the command asks for confirmation and shows each step', async (t) => {
  await untilReady();
  const before = await recordOf(consul, 'shard1');
  const refused = await typeProgram(['failover', 'shard1', ...common], { answer: 'n' });
  t.equal(refused.code, 1);
  t.match(refused.text, `Fail shard1 over from ${formatAddress(before.master)} to the replica that Sentinel chooses?`);
  t.match(refused.text, /Nothing was done\.\n$/);
  t.equal((await recordOf(consul, 'shard1')).epoch, before.epoch);
  const done = await typeProgram(['failover', 'shard1', ...common], { answer: 'yes' });
  t.equal(done.code, 0, done.text);
  for (const step of ["the old master's writes wait", 'the new master takes writes', 'the old master is a replica']) {
    t.match(done.text, `· ${step} (`);
  }
  t.match(done.text, /^shard1 {2}moved from .* to .*, epoch 2$/m);
  t.match(done.text, 'nothing was lost');
  const after = await recordOf(consul, 'shard1');
  t.notOk(sameAddress(after.master, before.master));
});

t.test('in maintenance, a failover by hand needs the name of the replica', async (t) => {
  const on = await runCommand(['maintenance', 'on', '--for', '10m', '--reason', 'reboots', ...common]);
  t.equal(on.code, 0, on.stderr);
  t.match(on.stdout, /^all masters {2}maintenance on {2}by .*, since .*, until .* \(reboots\)$/m);
  t.match(JSON.parse((await consul.key('redis/maintenance')) ?? ''), { reason: 'reboots', until: String });
  const refused = await runCommand(['failover', 'shard1', '--yes', ...common]);
  t.equal(refused.code, 1);
  t.match(
    refused.stderr,
    /^failover-refused: .*all masters are in maintenance: by .*; name the replica \(--replica\), or end it/,
  );
  t.match((await runCommand(['status', '--api', api])).stdout, /^shard1 {2}\S+ {2}\w+ {2}in maintenance /m);
  t.match((await daemon.get('/metrics')).body, /^switchmaster_maintenance\{master="shard1"\} 1$/m);
  t.match(
    (await runCommand(['events', '--loop', 'maintenance', '--api', api])).stdout,
    /all masters are in maintenance/,
  );
});

t.test('--json prints the report alone on standard output, and each step as JSON on standard error', async (t) => {
  // Right after a failover: the command waits until the Sentinels see the replicas in sync. The config of the node says where
  // the API is, and has the token.
  const here = ['--config', daemon.configFile];
  const [replica] = (await recordOf(consul, 'shard1')).replicas;
  if (replica === undefined) throw new Error('there are two replicas');
  const chosen = ['--replica', formatAddress(replica)];
  const { code, stdout, stderr } = await runCommand(['--json', ...here, 'failover', 'shard1', '--yes', ...chosen]);
  t.equal(code, 0, stderr);
  const lines = stderr.trim().split('\n');
  const steps = lines.map((line) => (JSON.parse(line) as { step: string }).step);
  t.ok(steps.includes('promoted'), stderr);
  const report = JSON.parse(stdout);
  t.match(report, { name: 'shard1', epoch: 3 });
  t.ok(report.offsets.inherited >= report.offsets.paused);
  t.same(report.to, replica, 'in maintenance too, as a whole');
  t.match(await runCommand(['maintenance', 'off', ...common]), { code: 0, stdout: 'all masters  maintenance off\n' });
});

t.test('a dry run names what would happen and what is in the way, and changes nothing', async (t) => {
  await untilReady();
  const before = await recordOf(consul, 'shard1');
  const dryRun = ['failover', 'shard1', '--dry-run', ...common];
  const possible = await waitFor('the failover to be possible', () => runCommand(dryRun), {
    until: ({ code }) => code === 0,
    timeoutMs: 30_000,
  });
  t.match(
    possible.stdout,
    `shard1  can move now from ${formatAddress(before.master)} to the replica that Sentinel chooses`,
  );
  const unlisted = await runCommand([...dryRun, '--json', '--replica', '127.0.0.1:9']);
  t.equal(unlisted.code, 1);
  t.match(JSON.parse(unlisted.stdout), { name: 'shard1', dryRun: true, verdict: 'refused', why: /not a replica/ });
  t.strictSame(await recordOf(consul, 'shard1'), before);
});

t.test('why shows the order', async (t) => {
  const { stdout: story } = await runCommand(['why', 'shard1', '--config', daemon.configFile]);
  t.match(
    story,
    /planned failover: .* → .*, epoch 3\n {2}seen down by: nobody; an operator ordered it\n {2}led by: Sentinel .*\n {2}took: .*without writes\n {2}former master: .*nothing was lost$/m,
  );
  const { stdout } = await runCommand(['why', 'shard1', '-v', '--limit', '100', '--api', api]);
  t.match(stdout, /Done: failed over as planned from .* ms without writes\n {2}Woken by failover from operator/);
});

t.test('with --json or -o yaml, an error is data too', async (t) => {
  const { code, stdout } = await runCommand(['why', 'nobody', '--json', '--api', api]);
  t.equal(code, 1);
  t.match(JSON.parse(stdout), { error: { code: 'not-found', message: /it follows shard1/ } });
  t.match(await runCommand(['why', 'nobody', '-o', 'yaml', '--api', api]), {
    stdout: /^error:\n {2}code: not-found\n/,
  });
  const usage = await runCommand(['status', '--json', '--bogus']);
  t.match([usage.code, JSON.parse(usage.stdout)], [2, { error: { code: 'usage' } }]);
});

t.test('status shows one master, a table, or only what is not well', async (t) => {
  await untilReady();
  const status = (...more: readonly string[]) => runCommand(['status', '--api', api, ...more]);
  t.match((await status('shard1')).stdout, /^shard1 {2}\S+ {2}\w+ {2}epoch \d+, \w+, \d+ \w+ ago$/m);
  t.match((await status('-o', 'table')).stdout, /^NAME +MASTER .*\nshard1 +\S+:\d+ /);
  await waitFor('all to be well', () => status('--problems'), {
    until: ({ stdout }) => stdout === 'All is well.\n',
    timeoutMs: 90_000,
  });
  t.match(await status('shrad1'), { code: 1, stderr: /not-found: .*did you mean shard1\?/ });
});

t.test('the daemon refuses an unknown master and an address that is not a replica', async (t) => {
  t.match((await runCommand(['failover', 'nobody', '--yes', ...common])).stderr, /^not-found: /);
  const unlisted = await runCommand(['failover', 'shard1', '--yes', '--replica', '127.0.0.1:9', ...common]);
  t.equal(unlisted.code, 1);
  t.match(unlisted.stderr, /^failover-refused: .*127\.0\.0\.1:9 is not a replica that is up and in sync/);
  t.equal((await runCommand(['failover', 'shard1', '--replica', 'x', ...common])).code, 2);
  t.equal((await runCommand(['failover', 'shard1', '--timeout', 'soon', ...common])).code, 2);
});

t.test('rebase starts a new generation if the Sentinels agree', async (t) => {
  const before = await recordOf(consul, 'shard1');
  const { code, stdout, stderr } = await runCommand(['rebase', 'shard1', '--yes', '--json', ...common]);
  t.equal(code, 0, stderr);
  t.match(JSON.parse(stdout), { name: 'shard1', record: { generation: before.generation + 1, master: before.master } });
});
