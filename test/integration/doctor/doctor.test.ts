import t from 'tap';
import type { Finding } from '../../../lib/doctor/rule.ts';
import { formatAddress } from '../../../lib/model/address.ts';
import { runCommand } from '../../cmd/command.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { findingsOf } from '../support/examining.ts';

/* The doctor examines a whole stack of real software, first a healthy one and then one with faults. */
const password = 'a-password-for-this-test';
const management = '5e1f0001-0000-4000-8000-000000000003';
const acl = {
  enabled: true,
  default_policy: 'deny',
  tokens: { master: management, agent: management, default: management },
};
// A busy machine takes its time.
t.setTimeout(240_000);
const sandbox = await Sandbox.openFor(t, { name: 'doctor' });
const [consul, illConsul, shard1] = await Promise.all([
  sandbox.consul(),
  sandbox.consul({
    name: 'ill',
    config: { acl, dns_config: { only_passing: true, node_ttl: '2s', service_ttl: { 'redis-*': '5s' } } },
  }),
  sandbox.redis({ name: 'shard1', replicas: 2, password, config: { appendonly: 'yes' } }),
]);
const sentinels = await sandbox.sentinels({ count: 3, masters: [shard1] });
const passwordFile = sandbox.write('redis.password', password);
const config = {
  consul: { address: consul.url },
  sentinel: { addresses: [formatAddress(sentinels[0]?.address ?? shard1.master.address)], redis: { passwordFile } },
};
const healthyFile = sandbox.write('healthy.yml', JSON.stringify(config));

t.test('a clean stack has no critical finding', async (t) => {
  await waitFor('the Sentinels to know each other', () => findingsOf(healthyFile), {
    until: (list) => list.length === 0,
    timeoutMs: 30_000,
  });
  const { code, stdout, stderr } = await runCommand(['doctor', '--config', healthyFile]);
  t.strictSame({ code, stdout, stderr }, { code: 0, stdout: 'No faults found.\n', stderr: '' });
});

t.test('the doctor finds an instance that somebody else registered with the tag of a master', async (t) => {
  const left = { Name: 'redis-master', ID: 'left', Address: '9.9.9.9', Port: 1, Tags: ['shard1'] };
  await consul.put('/v1/agent/service/register', left);
  const findings = await findingsOf(sandbox.write('left.yml', JSON.stringify(config)));
  t.match(findings, [{ rule: 'foreign-instance', subject: 'shard1', text: /9\.9\.9\.9:1/ }]);
  await consul.put('/v1/agent/service/deregister/left');
});

t.test('the doctor finds maintenance that somebody may have forgotten', async (t) => {
  const note = { by: 'ops', at: new Date().toISOString(), reason: 'disk' };
  await consul.putKey('redis/maintenance/shard1', JSON.stringify(note));
  const findings = await findingsOf(sandbox.write('maintenance.yml', JSON.stringify(config)));
  t.match(findings, [{ rule: 'maintenance', subject: 'shard1', hint: /switchmaster maintenance off/ }]);
  await consul.delete('/v1/kv/redis/maintenance/shard1');
});

t.test('the doctor finds faults in the settings of Consul and in the rights of the token', async (t) => {
  await waitFor('the policy', () =>
    illConsul.put('/v1/acl/policy', {
      Name: 'few',
      Rules: 'agent_prefix "" { policy = "read" } key_prefix "redis/" { policy = "read" }',
    }),
  );
  const token = await illConsul.put<{ SecretID: string }>('/v1/acl/token', { Policies: [{ Name: 'few' }] });
  const tokenFile = sandbox.write('few.token', token?.SecretID ?? '');
  const file = sandbox.write('ill.yml', JSON.stringify({ ...config, consul: { address: illConsul.url, tokenFile } }));
  const findings = await findingsOf(file);
  t.strictSame([...new Set(findings.map(({ rule }) => rule))].sort(), [
    'acl-missing',
    'dns-node-ttl',
    'dns-only-passing',
    'dns-ttl',
  ]);
  const { text = '' } = findings.find(({ rule }) => rule === 'acl-missing') ?? {};
  t.match(text, /key_prefix "redis\/[^"]*" write/);
  t.match(text, /service "redis-master" write/);
  const online = await runCommand(['check', '--online', '--config', file]);
  t.equal(online.code, 1);
  t.match(
    online.stdout,
    /consul \S+ refuses us: the token lacks these rules: .*; and \d+ more\. Give its policy what `switchmaster acl`/,
  );
  // From now on DNS asks as the anonymous token, which has no rights.
  await illConsul.put('/v1/agent/token/default', { Token: '' });
  t.ok((await findingsOf(file)).some(({ rule }) => rule === 'dns-denied'));
  const gone = sandbox.write('gone.yml', JSON.stringify({ ...config, consul: { address: '127.0.0.1:9' } }));
  t.match(await findingsOf(gone), [{ rule: 'consul-unreachable', subject: 'consul' }]);
});

t.test('the doctor finds faults of Redis and Sentinels, each with a hint', async (t) => {
  const [replica, other] = shard1.replicas;
  const [first, second, third] = sentinels;
  if (
    replica === undefined ||
    other === undefined ||
    first === undefined ||
    second === undefined ||
    third === undefined
  ) {
    throw new Error('there are two replicas and three Sentinels');
  }
  await replica.command('CONFIG', 'SET', 'masterauth', '');
  await other.command('CONFIG', 'SET', 'replica-read-only', 'no');
  await shard1.master.command('CONFIG', 'SET', 'min-replicas-to-write', '2');
  await second.command('SENTINEL', 'SET', 'shard1', 'quorum', '3');
  const { host, port } = shard1.master.address;
  for (const sentinel of sentinels) {
    await sentinel.command('SENTINEL', 'MONITOR', 'cache.a', host, port, 2);
    await sentinel.command('SENTINEL', 'SET', 'cache.a', 'auth-pass', password);
  }
  await third.kill();
  const wanted = [
    ['masterauth-missing', formatAddress(replica.address)],
    ['replica-writable', formatAddress(other.address)],
    ['min-replicas-too-many', 'shard1'],
    ['quorum-differs', 'shard1'],
    ['quorum-above-majority', 'shard1'],
    ['name-not-dns', 'cache.a'],
    ['sentinel-unreachable', formatAddress(third.address)],
    ['sentinels-stale', 'shard1'],
  ];
  const missing = (list: readonly Finding[]) =>
    wanted.filter(([rule, subject]) => !list.some((one) => one.rule === rule && one.subject === subject));
  await waitFor('all faults to be found', async () => missing(await findingsOf(healthyFile)), {
    until: (list) => list.length === 0,
    timeoutMs: 30_000,
  });
  const [text, json] = await Promise.all([
    runCommand(['doctor', '--config', healthyFile]),
    runCommand(['doctor', '--json', '--config', healthyFile]),
  ]);
  t.strictSame(missing(JSON.parse(json.stdout).findings), []);
  const { code, stdout } = text;
  t.equal(code, 1);
  t.match(stdout, /^critical .*: masterauth is missing: .* \(masterauth-missing\)\n {2}CONFIG SET masterauth/m);
  t.notMatch(stdout, password);
  t.equal(stdout.indexOf('warning') > stdout.lastIndexOf('critical '), true, 'critical faults come first');
});

t.test('an invalid config exits with 2', async (t) => {
  t.equal((await runCommand(['doctor', '--config', '/nowhere'])).code, 2);
});
