import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { formatAddress } from '../../../lib/model/address.ts';
import { runCommand } from '../../cmd/command.ts';
import { Program } from '../../cmd/program.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { CheckLoad, findWrong } from '../support/check-load.ts';

/* What an operator and a load balancer see of one failover, on real software. */
t.setTimeout(480_000);
const longWait = { timeoutMs: 60_000 };
const sandbox = await Sandbox.openFor(t, { name: 'operator' });
const [consul, shard1] = await Promise.all([sandbox.consul(), sandbox.redis({ name: 'shard1', replicas: 1 })]);
const sentinels = await sandbox.sentinels({ count: 3, masters: [shard1] });
const journalFile = sandbox.path('journal.jsonl');
const config = {
  consul: { address: consul.url },
  sentinel: { addresses: sentinels.map(({ address }) => formatAddress(address)), masters: ['shard*'] },
  templates: [{ source: 'app.json.hbs', destination: sandbox.path('app.json') }],
  journal: { file: journalFile },
};
const daemon = await sandbox.switchmaster({ config });
const api = `http://${formatAddress(daemon.api)}`;
const [oldMaster, newMaster] = [shard1.master.address, shard1.replicas[0]?.address ?? shard1.master.address];

/** Of the record after the failover. */
let epoch = 0;

const check = async (address: typeof oldMaster, role = 'master'): Promise<number> =>
  (await daemon.get(`/check/${role}?address=${formatAddress(address)}`)).status;

t.test('check asks every server that the config names', async (t) => {
  const folder = t.testdir({ 'good.yml': JSON.stringify(config) });
  const good = await runCommand(['check', '--online', '--config', folder]);
  t.equal(good.code, 0);
  t.match(good.stdout, /^consul .* answers: knows a leader$/m);
  t.equal(good.stdout.match(/^sentinel .* answers: masters that it monitors: 1$/gm)?.length, 3);
  const gone = JSON.stringify({ ...config, consul: { address: '127.0.0.1:9' } });
  const bad = await runCommand(['check', '--online', '--json', '--config', t.testdir({ 'bad.yml': gone })]);
  t.equal(bad.code, 1);
  t.match(JSON.parse(bad.stdout).servers[0], {
    server: 'consul 127.0.0.1:9',
    answers: false,
    code: 'consul-unreachable',
  });
});

t.test('before the failover, status shows a tree in which all is well', async (t) => {
  const { stdout, stderr } = await waitFor('all to be well', () => runCommand(['status', '--api', api]), {
    until: ({ code, stdout }) => code === 0 && /app\.json {2}.*app\.json {2}current/.test(stdout),
    ...longWait,
  });
  t.equal(stderr, '');
  t.match(stdout, `shard1  ${formatAddress(oldMaster)}  passing  epoch 0`);
  t.match(stdout, `├─ replica ${formatAddress(newMaster)}`);
  t.equal(stdout.match(/sentinel .* agrees/g)?.length, 3);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what is looked for
  t.notMatch(stdout, /\u001b/);
  t.strictSame([await check(oldMaster), await check(newMaster), await check(newMaster, 'replica')], [200, 503, 200]);
});

t.test('a replica that is stopped fails the check with a lag limit until it continues', async (t) => {
  const url = `/check/replica?address=${formatAddress(newMaster)}`;
  const status = async (limit: string) => (await daemon.get(`${url}&maxLag=${limit}`)).status;
  const is = (wanted: number) => ({ until: (found: number) => found === wanted, ...longWait });
  await waitFor('the lag to be known', () => status('5s'), is(200));
  await waitFor('the status to know it', async () => (await runCommand(['status', '--api', api])).stdout, {
    until: (text) => /replica .* in sync/.test(text),
    ...longWait,
  });
  shard1.replicas[0]?.pause();
  await shard1.master.command('SET', 'some', 'thing');
  await waitFor('it to lag', () => status('2s'), is(503));
  t.equal((await daemon.get(url)).status, 200, 'it is a replica nevertheless');
  shard1.replicas[0]?.resume();
  await waitFor('it to follow', () => status('2s'), is(200));
  await waitFor('it to follow', () => status('100kb'), is(200));
  await waitFor(
    'the Sentinels to see it',
    async () => (await runCommand(['status', '--api', api])).code === 0,
    longWait,
  );
});

t.test('a failover shows up live and in the history, and no check answers wrongly', async (t) => {
  const watching = new Program(['watch', 'shard1', '--json', '--api', api]);
  t.teardown(() => void watching.child.kill('SIGKILL'));
  const connected = async (): Promise<boolean> =>
    /switchmaster_event_streams 1/.test(String((await daemon.get('/metrics')).body));
  await waitFor('the watch to be connected', connected, longWait);
  const load = new CheckLoad(daemon.api, [oldMaster, newMaster]);
  t.teardown(() => load.stop());
  await shard1.master.kill();
  const [line] = await watching.says(/^.*"cause":"failover".*$/m);
  const moved = JSON.parse(line);
  t.match(moved, { loop: 'bridge', key: 'shard1', kind: 'applied', details: { record: { master: newMaster } } });
  await waitFor('the checks', () => Promise.all([check(oldMaster), check(newMaster)]), {
    until: (statuses) => statuses.join() === '503,200',
    ...longWait,
  });
  const record = await consul.key('redis/record/shard1');
  t.match(JSON.parse(record ?? 'null'), { master: newMaster });
  // Each election that no Sentinel wins takes an epoch.
  ({ epoch } = JSON.parse(record ?? 'null'));
  await waitFor('many checks', () => load.answers.length >= 400, { timeoutMs: 30_000 });
  await load.stop();
  t.strictSame(findWrong(load.answers, { oldMaster, newMaster }), []);
  watching.child.kill('SIGINT');
  t.equal((await watching.end()).code, 0);
});

t.test('why shows the change and its causes', async (t) => {
  const { code, stdout } = await runCommand(['why', 'shard1', '-v', '--limit', '100', '--api', api]);
  t.equal(code, 0);
  t.match(stdout, `shard1 is ${formatAddress(newMaster)}, epoch ${epoch}`);
  t.match(stdout, /Done: master is .*failover\n {2}Woken by .* ms before\.\n[\s\S]*Since the hint: .*committed after/);
  const json = JSON.parse((await runCommand(['why', 'shard1', '--json', '--limit', '1', '--api', api])).stdout);
  t.equal(json.entries.length, 1);
});

t.test('the metrics count the failover', async (t) => {
  const text = String((await daemon.get('/metrics')).body);
  t.match(text, new RegExp(`^switchmaster_record_epoch\\{master="shard1"\\} ${epoch}$`, 'm'));
  t.match(text, /^switchmaster_stage_seconds_count\{loop="bridge",cause="failover",stage="committed"\} 1$/m);
  t.match(
    text,
    /^switchmaster_request_duration_seconds_count\{server="consul",operation="transaction",result="ok"\} \d+$/m,
  );
  t.match(text, /^switchmaster_request_duration_seconds_count\{server="redis",operation="role",result="error"\} \d+$/m);
  t.match(
    text,
    /^switchmaster_request_duration_seconds_count\{server="sentinel",operation="master",result="ok"\} \d+$/m,
  );
  t.match(text, /^switchmaster_reconciles_total\{loop="renderer",result="applied"\} \d+$/m);
});

t.test('a captured journal replays offline to the same decisions', async (t) => {
  const { code, stdout } = await runCommand([
    'why',
    'shard1',
    '--replay',
    journalFile,
    '--json',
    '--api',
    'http://127.0.0.1:9',
  ]);
  t.equal(code, 0);
  const { decisions } = JSON.parse(stdout) as { decisions: { verdict: string; recorded: { cause?: string } }[] };
  t.ok(decisions.length >= 3);
  t.ok(decisions.every(({ verdict }) => verdict === 'same'));
  t.ok(decisions.some(({ recorded }) => recorded.cause === 'failover'));
  const edited = readFileSync(journalFile, 'utf8').replaceAll(
    '"cause":"failover","draft"',
    '"cause":"initial","draft"',
  );
  const replayed = await runCommand([
    'why',
    'shard1',
    '--replay',
    sandbox.write('edited.jsonl', `${edited}garbage\n{}\n`),
  ]);
  t.equal(replayed.code, 1);
  t.match(replayed.stdout, /^different .* failover$/m);
  t.equal((await runCommand(['why', 'shard1', '--replay', '/nowhere'])).code, 1);
  t.notMatch(JSON.stringify((await daemon.get('/v1/history')).body), /"replay"/, 'the API does not carry it about');
});

t.test('the journal survives a restart of the daemon', async (t) => {
  const entries = async () =>
    ((await daemon.get('/v1/history?loop=bridge')).body as { entries: { id: number }[] }).entries;
  const before = await entries();
  await daemon.restart();
  const after = await entries();
  const kept = new Set(after.map(({ id }) => id));
  t.ok(before.length > 0);
  t.ok(before.every(({ id }) => kept.has(id)));
  t.strictSame(
    daemon.logLines().filter(({ msg }) => msg === 'still open after stop'),
    [],
    'and it closed everything when it stopped',
  );
});

t.test('commands send the client certificate to an API behind TLS, and report a missing one', async (t) => {
  const [cert, key] = [sandbox.path('tls.crt'), sandbox.path('tls.key')];
  const subject = ['-subj', '/CN=switchmaster', '-addext', 'subjectAltName=DNS:switchmaster'];
  const ask = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', ...subject];
  execFileSync('openssl', [...ask, '-keyout', key, '-out', cert], { stdio: 'pipe' });
  const listen = formatAddress(await sandbox.address());
  const token = 'a-token-for-this-test';
  const served = { listen, tls: { certFile: cert, keyFile: key, clientCaFile: cert } };
  const tokenFile = sandbox.write('api.token', token);
  const secured = { ...config, templates: [], journal: {}, api: { ...served, tokenFile } };
  const daemon = await sandbox.localDaemon({ name: 'secured', config: secured, ready: 'started' });
  const url = `https://${listen}`;
  const authority = { SWITCHMASTER_API: url, SWITCHMASTER_CACERT: cert };
  const named = { ...authority, SWITCHMASTER_TLS_SERVER_NAME: 'switchmaster' };
  const all = { ...named, SWITCHMASTER_CLIENT_CERT: cert, SWITCHMASTER_CLIENT_KEY: key };
  // The former master is dead, so not all is well.
  await waitFor('the record to be shown', async () => (await runCommand(['status'], all)).stdout, {
    until: (stdout) => stdout.includes(`shard1  ${formatAddress(newMaster)}`),
    ...longWait,
  });
  const says = async (environment: Record<string, string>, wanted: string) => {
    const { code, stderr } = await runCommand(['status'], environment);
    t.match({ code, stderr }, { code: 1, stderr: `api-unreachable: no switchmaster answers at ${wanted}` });
  };
  await Promise.all([
    says({ SWITCHMASTER_API: url }, `${url} (is its certificate from an authority of your own? --ca-file names it)`),
    says(authority, `${url} (--tls-server-name sets the name in its certificate)`),
    says(named, `${url} (it wants a certificate: --client-cert, --client-key)`),
    says({ SWITCHMASTER_API: listen }, `http://${listen} (does it speak TLS? --api https://`),
    says({ SWITCHMASTER_API: `https://${formatAddress(daemon.api)}` }, `https://`),
  ]);
  const watching = new Program(['watch', 'shard1', '--json'], all);
  t.teardown(() => void watching.child.kill('SIGKILL'));
  const options = ['--ca-file', cert, '--client-cert', cert, '--client-key', key, '--tls-server-name', 'switchmaster'];
  const rebase = ['rebase', 'shard1', '--yes', '--json', '--api', url, ...options];
  const ordered = async (): Promise<boolean> => {
    const { code, stdout } = await runCommand(rebase, { SWITCHMASTER_API_TOKEN: token });
    return code === 0 && JSON.parse(stdout).record.generation > 1 && watching.stdout.includes('"cause":"rebase"');
  };
  await waitFor('an order to be followed and watched', ordered, longWait);
  watching.child.kill('SIGINT');
  t.equal((await watching.end()).code, 0);
  t.equal((await runCommand(['status', '--ca-file', '/nowhere'], all)).code, 2);
  await daemon.stop();
});

t.test('a command reports that no daemon answers', async (t) => {
  const { code, stderr } = await runCommand(['status', '--api', 'http://127.0.0.1:9']);
  t.equal(code, 1);
  t.match(stderr, /^api-unreachable: no switchmaster answers at http:\/\/127\.0\.0\.1:9 \(is it running\?/);
  const [near, far] = await Promise.all(['shrad1', 'nobody'].map((name) => runCommand(['why', name, '--api', api])));
  t.match(near, { code: 1, stderr: 'not-found: no master or cluster is called "shrad1" (did you mean shard1?)' });
  t.match(far, { code: 1, stderr: 'not-found: no master or cluster is called "nobody" (it follows shard1)' });
  const order = ['failover', 'shard1', '--yes', '--api', api];
  const [without, wrong] = await Promise.all([
    runCommand(order),
    runCommand(order, { SWITCHMASTER_API_TOKEN: 'another-one' }),
  ]);
  t.match(without, { code: 2, stderr: 'this command needs the API token: give --token-file' });
  t.match(wrong, { code: 1, stderr: 'request-denied: ' });
  t.equal((await runCommand(['status', '--api', 'not an address'])).code, 2);
  const waiting = new Program(['watch', 'shrad1', '--api', api]);
  await waiting.complains(/^Nothing is called shrad1 yet \(did you mean shard1\?\)\.$/m);
  waiting.child.kill('SIGKILL');
});
