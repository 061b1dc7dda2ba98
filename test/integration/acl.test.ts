import { existsSync, readFileSync, rmSync } from 'node:fs';
import t from 'tap';
import { formatAddress } from '../../lib/model/address.ts';
import { slotCount } from '../../lib/model/cluster.ts';
import { type AclRule, formatAcl } from '../../lib/plan/acl.ts';
import { runProgram } from '../cmd/program.ts';
import { waitFor, within } from '../sandbox/condition.ts';
import type { Daemon } from '../sandbox/daemon.ts';
import { Sandbox } from '../sandbox/sandbox.ts';

t.setTimeout(180_000);
const management = '5e1f0001-0000-4000-8000-000000000002';
const sandbox = await Sandbox.openFor(t, { name: 'acl' });
// What comes without a token is the sandbox's own.
const tokens = { master: management, agent: management, default: management };
const [consul, shard, node] = await Promise.all([
  sandbox.consul({ config: { acl: { enabled: true, default_policy: 'deny', tokens } } }),
  sandbox.redis({ name: 'shard1' }),
  sandbox.redis({ name: 'node', replicas: 0, config: { 'cluster-enabled': 'yes' } }),
]);
await node.master.command('CLUSTER', 'ADDSLOTSRANGE', 0, slotCount - 1);
const [sentinel] = await sandbox.sentinels({ count: 1, masters: [] });
const proxy = await sandbox.address();
const file = sandbox.path('out.txt');
const source = sandbox.write(
  'proxies.hbs',
  '{{#each (service "redis-proxy|any")}}{{id}} {{/each}}{{#each redisMasters}}{{name}} {{/each}}',
);
const tokenFile = sandbox.path('token');
const config = {
  consul: { address: consul.url, tokenFile },
  register: [
    { kind: 'redis', address: formatAddress(shard.master.address) },
    { kind: 'sentinel', address: formatAddress(sentinel?.address ?? proxy) },
    { kind: 'cluster', name: 'c', address: formatAddress(node.master.address) },
  ],
  sentinel: { service: 'redis-sentinel', masters: ['shard1'], resync: '1s' },
  cluster: [{ name: 'c', seeds: [formatAddress(node.master.address)], resync: '200ms' }],
  templates: [{ source, destination: file, rolling: { limit: 1 } }],
};

let policies = 0;

/** Writes the file with a token that has these rules and no others. */
async function grant(rules: string): Promise<void> {
  policies += 1;
  const Name = `policy-${policies}`;
  // Right after its start Consul has no ACLs yet.
  await waitFor('the policy', () => consul.put('/v1/acl/policy', { Name, Rules: rules }));
  const token = await consul.put<{ SecretID: string }>('/v1/acl/token', { Policies: [{ Name }] });
  sandbox.write('token', token?.SecretID ?? '');
}

/** A Consul and a Sentinel that know nothing but a proxy and what is desired. */
async function forget(): Promise<void> {
  await consul.delete('/v1/kv/redis/?recurse');
  rmSync(file, { force: true });
  await consul.put('/v1/catalog/deregister', { Node: 'redis-shard1' });
  for (const id of Object.keys((await consul.get<object>('/v1/agent/services')) ?? {})) {
    await consul.put(`/v1/agent/service/deregister/${id}`);
  }
  await sentinel?.command('SENTINEL', 'REMOVE', 'shard1').catch(() => undefined);
  await consul.put('/v1/agent/service/register', { Name: 'redis-proxy', ID: 'proxy', Port: proxy.port });
  const { host, port } = shard.master.address;
  await consul.putKey('redis/desired/shard1', JSON.stringify({ host, port, quorum: 1 }));
}

/** What is not as the config wants it. */
async function missing(daemon: Daemon): Promise<readonly string[]> {
  const services = JSON.stringify((await consul.get('/v1/agent/services')) ?? {});
  const roles = ((await consul.get<{ ServiceTags: string[] }[]>('/v1/catalog/service/redis')) ?? []).flatMap(
    ({ ServiceTags }) => ServiceTags,
  );
  const nodes = ((await consul.get<{ ServiceTags: string[] }[]>('/v1/catalog/service/redis-cluster')) ?? []).flatMap(
    ({ ServiceTags }) => ServiceTags,
  );
  const found: Record<string, boolean> = {
    ready: (await daemon.get('/ready')).status === 200,
    services: ['"redis"', '"redis-sentinel"', '"redis-cluster"'].every((name) => services.includes(name)),
    'tag of the Redis': roles.includes('master'),
    'tag of the cluster': nodes.includes('master'),
    key: (await consul.key('redis/master/shard1')) !== undefined,
    'cluster record': (await consul.key('redis/cluster/c')) !== undefined,
    provisioned: (await consul.key('redis/provisioned/shard1')) !== undefined,
    master: (await consul.dnsA('shard1.redis-master.service.consul')).length === 1,
    replica: (await consul.dnsA('shard1.redis-replica.service.consul')).length === 1,
    file: existsSync(file) && readFileSync(file, 'utf8') === 'proxy shard1 ',
  };
  return Object.keys(found).filter((what) => found[what] !== true);
}

const configFile = sandbox.write('acl.yml', JSON.stringify(config));
sandbox.write('token', 'none yet');
const { code, stdout } = await runProgram(['acl', '--config', configFile, '--json']);
const { rules } = JSON.parse(stdout) as { rules: AclRule[] };

t.test('the policy that is printed suffices', async (t) => {
  t.equal(code, 0);
  const { stdout: printed } = await runProgram(['acl', '--config', configFile]);
  t.equal(printed, formatAcl(rules));
  await grant(printed);
  await forget();
  const daemon = await sandbox.switchmaster({ name: 'whole', ready: '/live', config });
  await waitFor('everything to be there', () => missing(daemon), {
    until: (what) => what.length === 0,
    timeoutMs: 30_000,
  });
  t.notMatch(daemon.log(), /consul-denied/);
  await daemon.stop();
});

t.test('each rule of it is needed', async (t) => {
  for (const [i, rule] of rules.entries()) {
    await grant(formatAcl(rules.filter((other) => other !== rule)));
    await forget();
    const daemon = await sandbox.switchmaster({ name: `without-${i}`, ready: '/live', config });
    // Refused, or shown less than there is: with all rules it takes a second or two.
    const whole = waitFor('everything to be there', () => missing(daemon), {
      until: (what) => what.length === 0 || daemon.log().includes('consul-denied'),
      timeoutMs: 3_500,
    }).catch(() => ['not in time']);
    const lacking = await within(whole, 4_500);
    t.ok(
      daemon.log().includes('consul-denied') || (lacking ?? []).length > 0,
      `${rule.resource} "${rule.segment}" ${rule.policy}: ${rule.why}`,
    );
    await daemon.kill();
  }
});
