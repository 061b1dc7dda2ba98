import { existsSync, readFileSync, rmSync } from 'node:fs';
import t, { type Test } from 'tap';
import { loadConfig } from '../../../lib/config/load.ts';
import { Daemon } from '../../../lib/daemon/daemon.ts';
import { formatRule } from '../../../lib/model/acl/lost-rights.ts';
import { formatAcl } from '../../../lib/model/acl/policy.ts';
import type { AclRule } from '../../../lib/model/acl/rule.ts';
import { formatAddress } from '../../../lib/model/address.ts';
import { slotCount } from '../../../lib/model/cluster.ts';
import { makeLog } from '../../../lib/telemetry/log.ts';
import { runCommand } from '../../cmd/command.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { canSteer } from '../support/steering.ts';

t.setTimeout(600_000);
const management = '5e1f0001-0000-4000-8000-000000000002';
const sandbox = await Sandbox.openFor(t, { name: 'acl' });
const [node, proxy] = await Promise.all([
  sandbox.redis({ name: 'node', replicas: 0, config: { 'cluster-enabled': 'yes' } }),
  sandbox.address(),
]);
await node.master.command('CLUSTER', 'ADDSLOTSRANGE', 0, slotCount - 1);
const source = sandbox.write(
  'proxies.hbs',
  '{{#each (service "redis-proxy|any")}}{{id}} {{/each}}{{#each redisMasters}}{{name}} {{/each}}',
);

type Lane = Awaited<ReturnType<typeof openLane>>;

/** A Consul that denies by default, a Sentinel and a shard: trials run in several lanes at once. */
async function openLane(lane: string) {
  // Requests without a token are the sandbox's own.
  const tokens = { master: management, agent: management, default: management };
  const [consul, shard, [sentinel]] = await Promise.all([
    sandbox.consul({
      name: `consul-${lane}`,
      config: { acl: { enabled: true, default_policy: 'deny', tokens } },
    }),
    sandbox.redis({ name: `shard-${lane}` }),
    sandbox.sentinels({ count: 1, masters: [], name: `sentinel-${lane}` }),
  ]);
  if (sentinel === undefined) throw new Error('no sentinel');
  const file = sandbox.path(`out-${lane}.txt`);
  const config = {
    consul: { address: consul.url, tokenFile: sandbox.write(`token-${lane}`, 'none yet') },
    register: [
      { kind: 'redis', address: formatAddress(shard.master.address) },
      { kind: 'sentinel', address: formatAddress(sentinel.address) },
      { kind: 'cluster', name: 'c', address: formatAddress(node.master.address) },
    ],
    sentinel: { service: 'redis-sentinel', masters: ['shard1'], resync: '1s' },
    cluster: [{ name: 'c', seeds: [formatAddress(node.master.address)], resync: '200ms' }],
    templates: [{ source, destination: file, rolling: { limit: 1 } }],
  };
  const configFile = sandbox.write(`${lane}.yml`, JSON.stringify(config));
  return { lane, consul, shard, sentinel, file, config, configFile };
}

let policies = 0;

/** Writes the lane's file with a token that has these rules and no others. */
async function grant({ consul, lane }: Lane, rules: string): Promise<void> {
  policies += 1;
  const Name = `policy-${policies}`;
  // Right after its start Consul has no ACLs yet.
  await waitFor('the policy', () => consul.put('/v1/acl/policy', { Name, Rules: rules }));
  const token = await consul.put<{ SecretID: string }>('/v1/acl/token', { Policies: [{ Name }] });
  sandbox.write(`token-${lane}`, token?.SecretID ?? '');
}

/** A Consul and a Sentinel whose only content is a proxy and a desired master. */
async function forget({ consul, sentinel, shard, file }: Lane): Promise<void> {
  await consul.delete('/v1/kv/redis/?recurse');
  rmSync(file, { force: true });
  await consul.put('/v1/catalog/deregister', { Node: 'redis-shard1' });
  for (const id of Object.keys((await consul.get<object>('/v1/agent/services')) ?? {})) {
    await consul.put(`/v1/agent/service/deregister/${id}`);
  }
  await sentinel.command('SENTINEL', 'REMOVE', 'shard1').catch(() => undefined);
  await consul.put('/v1/agent/service/register', { Name: 'redis-proxy', ID: 'proxy', Port: proxy.port });
  const { host, port } = shard.master.address;
  await consul.putKey('redis/desired/shard1', JSON.stringify({ host, port, quorum: 1 }));
}

/** What is not as the config wants it. */
async function missing(lane: Lane): Promise<readonly string[]> {
  const { consul, file } = lane;
  const services = JSON.stringify((await consul.get('/v1/agent/services')) ?? {});
  const tags = async (service: string) =>
    ((await consul.get<{ ServiceTags: string[] }[]>(`/v1/catalog/service/${service}`)) ?? []).flatMap(
      ({ ServiceTags }) => ServiceTags,
    );
  const found: Record<string, boolean> = {
    services: ['"redis"', '"redis-sentinel"', '"redis-cluster"'].every((name) => services.includes(name)),
    'tag of the Redis': (await tags('redis')).includes('master'),
    'tag of the cluster': (await tags('redis-cluster')).includes('master'),
    key: (await consul.key('redis/master/shard1')) !== undefined,
    'cluster record': (await consul.key('redis/cluster/c')) !== undefined,
    provisioned: (await consul.key('redis/provisioned/shard1')) !== undefined,
    master: (await consul.dnsA('shard1.redis-master.service.consul')).length === 1,
    replica: (await consul.dnsA('shard1.redis-replica.service.consul')).length === 1,
    file: existsSync(file) && readFileSync(file, 'utf8') === 'proxy shard1 ',
    steering: await canSteer(consul.http, readFileSync(sandbox.path(`token-${lane.lane}`), 'utf8')),
  };
  return Object.keys(found).filter((what) => found[what] !== true);
}

/** The daemon in this process: starting the program for each rule would be most of the time. */
async function startDaemon(t: Test, { configFile }: Lane) {
  const lines: string[] = [];
  const log = makeLog({ level: 'info', format: 'json', stream: { write: (line) => void lines.push(line) } });
  const { sentinel, api: _, ...rest } = await loadConfig({ paths: [configFile], environment: {} });
  // Shorter than a config may ask for.
  const config = { ...rest, api: undefined, sentinel: sentinel && { ...sentinel, resyncMs: 200 } };
  const daemon = new Daemon({ config, log, version: '0' });
  await daemon.start();
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= daemon.stop();
    return stopped;
  };
  t.teardown(stop);
  return { stop, lines, isDenied: () => lines.some((line) => /consul-denied|lacks a right in consul/.test(line)) };
}

const lanes = await Promise.all(['a', 'b'].map(openLane));
const [first] = lanes;
if (first === undefined) throw new Error('no lane');
const { code, stdout } = await runCommand(['acl', '--config', first.configFile, '--json']);
const { rules } = JSON.parse(stdout) as { rules: AclRule[] };
const kinds = new Map(rules.map((rule) => [`${rule.resource} ${rule.policy}`, rule]));
/** `npm run test:field` tries all of them, this one of each kind. */
const chosen = process.env.ACL_RULES === 'all' ? rules : [...kinds.values()];
let wholeMs = 0;

t.test('the policy that is printed suffices', async (t) => {
  t.equal(code, 0);
  const { stdout: printed } = await runCommand(['acl', '--config', first.configFile]);
  t.ok(printed.startsWith(formatAcl(rules)), printed);
  t.match(printed, /^# {3}service "redis-master" { policy = "read" }$/m);
  await grant(first, printed);
  await forget(first);
  const startedMs = performance.now();
  const daemon = await sandbox.switchmaster({ name: 'whole', ready: '/live', config: first.config });
  const options = { until: (what: readonly string[]) => what.length === 0, timeoutMs: 30_000, intervalMs: 150 };
  await waitFor('everything to be there', () => missing(first), options);
  wholeMs = performance.now() - startedMs;
  await waitFor('it to be ready', async () => (await daemon.get('/ready')).status === 200);
  t.notMatch(daemon.log(), /consul-denied/);
  const { stdout: online } = await runCommand(['check', '--online', '--config', first.configFile]);
  t.match(online, /^consul \S+ answers: knows a leader$/m);
  const health = async () => JSON.stringify((await daemon.get('/v1/health')).body);
  const isRefused = /The service of redis \S+ stays as it is in Consul. .*service:write\S* on \S*redis/;
  await grant(first, formatAcl(rules.filter(({ resource, segment }) => `${resource} ${segment}` !== 'service redis')));
  await first.consul.put(`/v1/agent/service/deregister/redis-${formatAddress(first.shard.master.address)}`);
  await waitFor('a lost rule to be named', health, { until: (text) => isRefused.test(text), timeoutMs: 30_000 });
  await grant(first, printed);
  await waitFor('everything to be there again', () => missing(first), options);
  await waitFor('it to be well again', health, { until: (text) => !isRefused.test(text), timeoutMs: 30_000 });

  const kinds =
    /^(?:key_prefix redis.(?:desired|provisioned|steering|rolling).|session_prefix|node_prefix|service redis-replica)/;
  const taken = rules.filter(({ resource, segment }) => kinds.test(`${resource} ${segment}`));
  t.ok(taken.length >= 7, `${taken.length} rules`);
  await grant(first, formatAcl(rules.filter((rule) => !taken.includes(rule))));
  const unnamed = async () => {
    const text = (await health()).replaceAll('\\', '');
    return taken.map(formatRule).filter((rule) => !text.includes(rule));
  };
  await waitFor('each lost rule to be named', unnamed, { until: (rest) => rest.length === 0, timeoutMs: 60_000 });
  const log = daemon.log().replaceAll('\\', '');
  for (const rule of taken) t.ok(log.includes(formatRule(rule)), formatRule(rule));
  await grant(first, printed);
  const isLost = /has lost a right/;
  await waitFor('no lost rule', health, { until: (text) => !isLost.test(text), timeoutMs: 60_000 });
  await daemon.stop();
});

t.test('each rule of it is needed', async (t) => {
  const left = [...chosen];
  const work = async (lane: Lane) => {
    for (let rule = left.shift(); rule !== undefined; rule = left.shift()) t.ok(...(await tryWithout(t, lane, rule)));
  };
  await Promise.all(lanes.map(work));
});

t.test('a record that may not be written or read is an error in the log, not a change of others', async (t) => {
  for (const policy of ['read', 'none'] as const) {
    const isRecord = ({ segment }: AclRule) => segment === 'redis/cluster/c';
    const narrowed = rules.flatMap((rule) =>
      !isRecord(rule) ? [rule] : policy === 'none' ? [] : [{ ...rule, policy }],
    );
    t.equal(rules.filter(isRecord).length, 1);
    await grant(first, formatAcl(narrowed));
    await forget(first);
    const daemon = await startDaemon(t, first);
    await waitFor('the error in the log', () => daemon.lines.some(isDeniedCluster));
    t.notOk(daemon.lines.some((line) => line.includes('"fenced"') && line.includes('"loop":"cluster"')));
    await daemon.stop();
  }
});

function isDeniedCluster(line: string): boolean {
  const { loop, error } = JSON.parse(line) as { loop?: string; error?: { code?: string } };
  return loop === 'cluster' && error?.code === 'consul-denied';
}

t.test('names that templates compute from data are listed with their place and rule', async (t) => {
  const text =
    '{{#each (services)}}\n{{#each (service name)}}{{host}}{{/each}}{{/each}}{{#if vars.x}}{{key "x"}}{{/if}}';
  const config = {
    templates: [{ source: sandbox.write('computed.hbs', text), destination: sandbox.path('computed.txt') }],
  };
  const args = ['acl', '--config', sandbox.write('computed.yml', JSON.stringify(config))];
  const { code, stdout, stderr } = await runCommand(args);
  t.equal(code, 0);
  t.match(stdout, 'key "x" {');
  t.notMatch(stdout, 'NAME');
  t.match(stderr, 'warning: computed.hbs:2:9: {{service name}} reads a name that is computed from data');
  t.match(stderr, '  service "NAME" {\n    policy = "read"\n  }\n');
  const { computed } = JSON.parse((await runCommand([...args, '--json'])).stdout) as { computed: unknown[] };
  t.match(computed, [
    { template: 'computed.hbs', line: 2, column: 9, text: 'service name', rules: [{ segment: 'NAME' }, {}] },
  ]);
});

/** Whether the daemon is refused, or sees less, without this rule; and which query. */
async function tryWithout(t: Test, lane: Lane, rule: AclRule): Promise<[boolean, string]> {
  await grant(lane, formatAcl(rules.filter((other) => other !== rule)));
  await forget(lane);
  const daemon = await startDaemon(t, lane);
  const what = `${rule.resource} "${rule.segment}" ${rule.policy}: ${rule.why}`;
  try {
    // What is needed after a crash only shows nothing less, but the daemon names it.
    const rest = async () => (daemon.isDenied() ? [] : [...(await missing(lane)), rule.without ?? []].flat());
    const lacking = await waitFor('everything, or a refusal', rest, {
      until: (what) => what.length === 0,
      // Each reading costs a dozen requests.
      intervalMs: 150,
      // With every rule, and with the start of a program, it takes no longer than this.
      timeoutMs: Math.max(2_000, 1.5 * wholeMs),
    }).catch(() => missing(lane));
    return daemon.isDenied() ? [true, `${what} (refused)`] : [lacking.length > 0, `${what} (shown less: ${lacking})`];
  } finally {
    await daemon.stop();
  }
}
