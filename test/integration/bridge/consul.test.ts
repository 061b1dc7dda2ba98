import t from 'tap';
import { formatRecord } from '../../../lib/model/record.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { ConsulAgent } from '../../sandbox/consul.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { failOver, only, outcomes, readRecord, recordOf, servicesOf, startBridge } from '../support/bridging.ts';

// What else happens in Consul: one of three servers dies; other environments, nodes of other tools and newer records exist.
const sandbox = await Sandbox.openFor(t, { name: 'in-consul' });
const [servers, consul, ...shards] = await Promise.all([
  sandbox.consulServers(),
  sandbox.consul(),
  ...['cluster', 'apart', 'agent', 'squat', 'newer', 'a.b'].map((name) => sandbox.redis({ name })),
]);
// Every failover here is ordered.
const sentinels = await sandbox.sentinels({ masters: shards, downAfterMs: 10_000 });
const leader = only(sentinels);
const [cluster, apart, agent, squat, newer, dotted] = shards;
if (!cluster || !apart || !agent || !squat || !newer || !dotted)
  throw new Error('the sandbox is smaller than asked for');

async function leaderOf(agents: readonly ConsulAgent[]): Promise<ConsulAgent> {
  const address = await agents[0]?.get<string>('/v1/status/leader');
  const found = agents.find(({ http }) => address?.startsWith(`${http.host}:`));
  if (found === undefined) throw new Error(`no server is the leader ${address}`);
  return found;
}

t.test('in Consul', { jobs: 6 }, async (t) => {
  t.test("the death of Consul's leader in the middle of a failover only delays the record", async (t) => {
    const head = await leaderOf(servers);
    const followers = servers.filter((server) => server !== head);
    const { name } = cluster;
    const bridges = followers.map((each, i) =>
      startBridge(t, { consul: each, sentinels, masters: [name], id: `bridge-${i}` }),
    );
    const { epoch } = await recordOf(only(followers), name);
    await head.kill();
    await failOver(leader, name);
    const record = await recordOf(only(followers), name, { master: only(cluster.replicas), timeoutMs: 30_000 });
    t.ok(record.epoch > epoch);
    // There is none if the answer to a transaction was lost with the leader that took it.
    t.ok(outcomes(bridges, name).filter((outcome) => outcome === 'applied failover').length <= 1);
    await head.start();
    await waitFor('the old leader to follow', () => readRecord(head, name), {
      until: (held) => held?.epoch === record.epoch,
      timeoutMs: 30_000,
    });
    await waitFor('the bridges to be ready', () => bridges.every(({ part }) => part.ready().ready));
  });

  t.test('an environment has its own keys, and its tag on every service', async (t) => {
    const { name, master } = apart;
    startBridge(t, { consul, sentinels, masters: [name], environment: 'prod' });
    await recordOf(consul, name, { prefix: 'redis/prod/' });
    t.equal(await consul.key(`redis/prod/master/${name}/port`), String(master.address.port));
    t.equal(await readRecord(consul, name), undefined);
    t.strictSame(await consul.dnsA('prod.redis-master.service.consul'), [master.address.host]);
    const { Node: node, Service: service } = only(await servicesOf(consul, name));
    t.strictSame(service.Tags, [name, 'prod', `prod-${name}`]);

    // Another tool attaches what it needs.
    const attached = {
      ...{ ID: service.ID, Service: 'redis-master', Address: service.Address, Port: service.Port },
      Tags: [...service.Tags, 'traefik.enable=true'],
      Meta: { ...service.Meta, owner: 'team' },
      Weights: { Passing: 7, Warning: 3 },
      EnableTagOverride: true,
    };
    const TaggedAddresses = { lan: node.Address, wan: '192.0.2.8' };
    const check = { Node: node.Node, CheckID: 'tool', Name: 'tool', ServiceID: service.ID, Status: 'passing' };
    const place = { Node: node.Node, Address: node.Address, NodeMeta: { ...node.Meta, rack: '7' }, TaggedAddresses };
    const body = { ...place, Service: attached, Check: check };
    await fetch(`${consul.url}/v1/catalog/register`, { method: 'PUT', body: JSON.stringify(body) });
    await failOver(leader, name);
    await recordOf(consul, name, { prefix: 'redis/prod/', master: only(apart.replicas) });
    const after = only(await servicesOf(consul, name));
    t.match(after.Service, {
      Port: only(apart.replicas).address.port,
      Tags: attached.Tags,
      Meta: { owner: 'team' },
      Weights: attached.Weights,
      EnableTagOverride: true,
    });
    const lan = only(apart.replicas).address.host;
    t.match(after.Node, { Address: lan, Meta: { rack: '7' }, TaggedAddresses: { lan, wan: '192.0.2.8' } });
    t.match(
      after.Checks.map(({ CheckID }) => CheckID),
      ['redis-master:sentinel', 'tool'],
    );
  });

  t.test("the bridge does not change an agent's own node", async (t) => {
    const { name } = agent;
    const member = await sandbox.consulClient({ name: `redis-${name}`, join: [consul] });
    const address = async () => {
      const found = await consul.get<{ Node: { ID: string; Address: string } } | null>(
        `/v1/catalog/node/redis-${name}`,
      );
      return found?.Node.ID ? found.Node.Address : undefined;
    };
    const before = await waitFor('the agent to be in the catalog', address);
    const bridge = startBridge(t, { consul, sentinels, masters: [name] });
    await waitFor('the refusal', () =>
      bridge.reports.some(
        ({ outcome }) => outcome.kind === 'held' && /belongs to the Consul agent of that name/.test(outcome.summary),
      ),
    );
    t.equal(await address(), before);
    t.equal(await readRecord(consul, name), undefined);
    t.ok(member.running);
  });

  t.test('the bridge does not change a node that somebody else registered until it is gone', async (t) => {
    const { name, master } = squat;
    await consul.put('/v1/catalog/register', { Node: `Redis-${name}`, Address: '127.9.9.9' });
    const bridge = startBridge(t, { consul, sentinels, masters: [name] });
    await waitFor('the refusal', () =>
      bridge.reports.some(
        ({ outcome }) => outcome.kind === 'held' && /somebody else \(127\.9\.9\.9/.test(outcome.summary),
      ),
    );
    t.equal(await readRecord(consul, name), undefined);
    await consul.put('/v1/catalog/deregister', { Node: `Redis-${name}` });
    t.match(await recordOf(consul, name), { master: master.address });
  });

  t.test('the bridge refuses the second of two names that DNS cannot distinguish', async (t) => {
    const { name } = dotted;
    startBridge(t, { consul, sentinels, masters: [name], id: 'first' });
    await recordOf(consul, name);
    t.strictSame(await consul.dnsA('a-b.redis-master.service.consul'), [dotted.master.address.host]);
    const twin = await sandbox.redis({ name: 'a-b', replicas: 0 });
    const [lone] = await sandbox.sentinels({ name: 'twin', masters: [twin], count: 1 });
    if (lone === undefined) throw new Error('one was asked for');
    const second = startBridge(t, { consul, sentinels: [lone], id: 'second' });
    await waitFor('the refusal', () =>
      second.reports.some(({ outcome }) => outcome.kind === 'held' && /belongs to master a\.b/.test(outcome.summary)),
    );
    t.equal(await readRecord(consul, 'a-b'), undefined);
  });

  t.test('older Sentinels do not overwrite a newer record; if that lasts, a new generation begins', async (t) => {
    const { name, master } = newer;
    const first = startBridge(t, { consul, sentinels, masters: [name], id: 'first' });
    const record = await recordOf(consul, name, { until: ({ replicas }) => replicas.length === 1 });
    await first.stop();
    const ahead = { ...record, epoch: record.epoch + 10, master: only(newer.replicas).address, changedBy: 'another' };
    await consul.putKey(`redis/record/${name}`, formatRecord(ahead));
    const bridges = [1, 2, 3].map((n) =>
      startBridge(t, { consul, sentinels, masters: [name], id: `bridge-${n}`, rebaseAfterMs: 1_500 }),
    );
    const waits = (bridge: (typeof bridges)[number]) =>
      bridge.reports.some(({ outcome }) => outcome.kind === 'held' && outcome.details?.why === 'rebase');
    await waitFor('all to wait', () => bridges.every(waits));
    const rebased = await recordOf(consul, name, { master });
    t.match(rebased, { generation: record.generation + 1, epoch: record.epoch, previous: ahead.master });
    const firstRuns = bridges.map(({ reports }) => reports.find(({ loop, key }) => loop === 'bridge' && key === name));
    t.ok(
      firstRuns.every((run) => run?.outcome.kind === 'held'),
      'every bridge has left the newer record alone',
    );
    const seenMs = performance.timeOrigin + Math.min(...firstRuns.map((run) => run?.startedMs ?? 0));
    t.ok(Date.parse(rebased.changedAt) - seenMs > 1_000, 'for some time');
    await waitFor('all to agree', () => bridges.every(({ reports }) => reports.at(-1)?.outcome.kind === 'unchanged'));
    t.strictSame(
      outcomes(bridges, name).filter((outcome) => outcome === 'applied rebase'),
      ['applied rebase'],
    );
    t.equal((await readRecord(consul, name))?.generation, record.generation + 1);
  });
});
