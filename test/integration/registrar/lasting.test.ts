import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { formatAddress } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { ConsulAgent } from '../../sandbox/consul.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import {
  idOf,
  instanceOf,
  instancesOf,
  putRecordOf,
  register,
  replicaOf,
  startRegistrar,
  untilSays,
} from '../support/registering.ts';

// Which registrations outlive which failures: of an agent on a cluster of servers, and of the daemon. With --reap, Consul
// itself removes what is critical for too long, which takes at least a minute and a half.
const reaping = process.argv.includes('--reap');
t.setTimeout(reaping ? 480_000 : 240_000);
const sandbox = await Sandbox.openFor(t, { name: 'lasting' });
// A dead agent is noticed in a second or two rather than ten.
const config = { gossip_lan: { probe_interval: '200ms', probe_timeout: '150ms', suspicion_mult: 2 } };
const [servers, shard, other, reaped, dev] = await Promise.all([
  sandbox.consulServers({ config }),
  sandbox.redis({ name: 'shard1' }),
  sandbox.redis({ name: 'shard2' }),
  sandbox.redis({ name: 'shard3', replicas: 0 }),
  sandbox.consul({ name: 'dev' }),
]);
const [server] = servers;
if (server === undefined) throw new Error('no server');
const [agent, reaper] = await Promise.all([
  sandbox.consulClient({ join: servers, config }),
  sandbox.consulClient({ name: 'reaper', join: servers, config }),
]);
const ids = shard.servers.map(({ address }) => `redis-${formatAddress(address)}`).sort();

/** Waits until the agent itself has both: a catalog still has what a lost agent had registered. */
function untilOwn(): Promise<unknown> {
  return waitFor(
    'both to be at the agent',
    async () => Object.keys((await agent.get<object>('/v1/agent/services')) ?? {}),
    {
      until: (seen) => seen.sort().join() === ids.join(),
      timeoutMs: 60_000,
    },
  );
}

/** Waits until a server's catalog has both, passing, with their tags. */
function untilBack(at: ConsulAgent) {
  const state = async () =>
    (await instancesOf(at, 'redis'))
      .filter(({ Service }) => Service.Tags.includes(shard.name))
      .filter(({ Checks }) => Checks.length === 3 && Checks.every(({ Status }) => Status === 'passing'))
      .map(({ Service }) => `${Service.ID} ${Service.Tags.join()}`)
      .sort();
  const [master, replica] = shard.servers.map(({ address }) => `redis-${formatAddress(address)}`);
  const wanted = [`${master} shard1,master`, `${replica} shard1,replica`].sort();
  return waitFor('both to be in the catalog', state, {
    until: (seen) => seen.join() === wanted.join(),
    timeoutMs: 60_000,
  });
}

t.test('registrations survive failures', { jobs: 3 }, async (t) => {
  t.test('a restarted client agent gets all registrations again', async (t) => {
    const { name, master, servers: redises } = shard;
    const replicas = shard.replicas.map(({ address }) => address);
    await putRecordOf(agent, { name, master: master.address, replicas });
    startRegistrar(t, {
      consul: agent,
      instances: redises.map(({ address }) => ({ kind: 'redis', name, address })),
    });
    await untilBack(server);

    const nodeId = async () => (await agent.get<{ Config: { NodeID: string } }>('/v1/agent/self'))?.Config.NodeID;
    const first = await nodeId();
    await agent.restart();
    await untilOwn();
    await untilBack(server);
    t.equal(await nodeId(), first);

    await agent.kill();
    await waitFor(
      'the dead agent to be noticed',
      () => server.get<{ Status: string }[]>(`/v1/health/node/${agent.nodeName}`),
      {
        until: (checks) => checks?.some(({ Status }) => Status === 'critical') ?? false,
        timeoutMs: 60_000,
      },
    );
    const data = sandbox.path('consul-client-data');
    rmSync(data, { recursive: true });
    mkdirSync(data);
    await agent.start();
    await untilOwn();
    await untilBack(server);
    t.not(await nodeId(), first, 'it is another agent of the same name');
    // The servers answer with them when they have seen that the node is back. The other agent's shard has a master too, and no
    // replica.
    await waitFor('the master in DNS', () => server.dnsA('master.redis.service.consul'), {
      until: (hosts) => hosts.includes(master.address.host),
    });
    await waitFor('the replica in DNS', () => server.dnsA('replica.redis.service.consul'), {
      until: (hosts) => hosts.join() === replicaOf(shard).address.host,
    });
  });

  t.test('an instance that Consul removed returns when it answers again, and not before', async (t) => {
    const { name, master } = reaped;
    const id = idOf(master);
    const registrar = await register(t, {
      consul: reaper,
      shards: [reaped],
      checks: { deregisterCriticalServiceAfterMs: 60_000 },
    });
    // The agent lists its checks, but not their definitions: those are in its files.
    const checks = sandbox.path('reaper-data/checks');
    const files = readdirSync(checks, { withFileTypes: true }).filter((entry) => entry.isFile());
    const definitions = files.map(({ name }) => JSON.parse(readFileSync(join(checks, name), 'utf8')).ChkType);
    const own = definitions.find(({ CheckID }) => CheckID === `${id}:consul`);
    t.match(own, { TCP: formatAddress(master.address), DeregisterCriticalServiceAfter: 60_000_000_000 });

    await master.kill();
    await untilSays(reaper, id, 'critical: refuses connections');
    if (!reaping) await reaper.put(`/v1/agent/service/deregister/${encodeURIComponent(id)}`);
    await waitFor('Consul to have removed it', () => instanceOf(reaper, id), {
      until: (found) => found === undefined,
      timeoutMs: 150_000,
    });
    const looks = registrar.reports.length;
    await waitFor('ten more looks', () => registrar.reports.length > looks + 10);
    t.equal(await instanceOf(reaper, id), undefined);
    await master.start();
    await untilSays(reaper, id, 'passing: answers');
    t.match((await instanceOf(reaper, id))?.Service, { Tags: [name, 'master'], Port: master.address.port });
    await waitFor('it to be in DNS again', () => reaper.dnsA(`${name}.redis.service.consul`), {
      until: (hosts) => hosts.join() === master.address.host,
    });
  });

  t.test('DNS stays right for five minutes after the daemon was killed', async (t) => {
    const { name, master } = other;
    const replicas = other.replicas.map(({ address }) => address);
    await putRecordOf(dev, { name, master: master.address, replicas });
    const intervalMs = 100;
    const check = { interval: `${intervalMs}ms`, consulInterval: '1s' };
    const register = other.servers.map(({ address }) => ({
      kind: 'redis',
      name,
      address: formatAddress(address),
      check,
    }));
    const daemon = await sandbox.switchmaster({ config: { consul: { address: dev.url }, register } });
    const masterId = `redis-${formatAddress(master.address)}`;
    await untilSays(dev, masterId, 'passing: answers');
    const dns = async () => [
      ...(await dev.dnsA('master.redis.service.consul')),
      ...(await dev.dnsA('replica.redis.service.consul')),
    ];
    const right = other.servers.map(({ address }) => address.host);
    await waitFor('both to be in DNS', dns, { until: (hosts) => hosts.join() === right.join() });
    await daemon.kill('SIGKILL');
    const before = await instanceOf(dev, masterId);
    // The default interval is two seconds: this is the number of intervals in five minutes.
    const untilMs = performance.now() + 150 * intervalMs;
    const wrong = new Set<string>();
    await waitFor('the time to pass', dns, {
      until: (hosts) => {
        if (hosts.join() !== right.join()) wrong.add(hosts.join());
        return performance.now() > untilMs;
      },
      timeoutMs: 200 * intervalMs,
    });
    t.strictSame([...wrong], []);
    t.strictSame(await instanceOf(dev, masterId), before);
    await other.replicas[0]?.kill();
    await waitFor("Consul's own check to take a dead one out", () => dev.dnsA('replica.redis.service.consul'), {
      until: (hosts) => hosts.length === 0,
    });
  });
});
