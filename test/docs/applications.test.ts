import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { formatAddress } from '../../lib/model/address.ts';
import { slotCount } from '../../lib/model/cluster.ts';
import { waitFor } from '../sandbox/condition.ts';
import { Sandbox } from '../sandbox/sandbox.ts';
import { blocksOf, readPage } from './pages.ts';

// Three Consul servers and a client agent. Everything uses the client agent.
t.setTimeout(240_000);
const sandbox = await Sandbox.openFor(t, { name: 'applications' });
const servers = await sandbox.consulServers();
const [consul, shard, node] = await Promise.all([
  sandbox.consulClient({ join: servers }),
  sandbox.redis({ name: 'shard1' }),
  sandbox.redis({ name: 'node', replicas: 0, config: { 'cluster-enabled': 'yes' } }),
]);
await node.master.command('CLUSTER', 'ADDSLOTSRANGE', 0, slotCount - 1);
const sentinels = await sandbox.sentinels({ masters: [shard] });
const listen = await sandbox.address();
const pool = `pool:
  listen: ${formatAddress(listen)}
  redis: true
  servers:
    - ${formatAddress(shard.master.address)}:1 shard1
`;
const configFile = sandbox.write('nutcracker.yml', pool);
await sandbox.nutcracker({ configFile, listen });
const check = { interval: '200ms', consulInterval: '1s' };
await sandbox.switchmaster({
  config: {
    consul: { address: consul.url },
    register: [
      ...shard.servers.map(({ address }) => ({ kind: 'redis', address: formatAddress(address), check })),
      ...sentinels.map(({ address }) => ({ kind: 'sentinel', address: formatAddress(address), check })),
      { kind: 'cluster', name: 'sessions', address: formatAddress(node.master.address), check },
      { kind: 'twemproxy', address: formatAddress(listen), check },
    ],
    sentinel: { service: 'redis-sentinel', resync: '1s' },
    cluster: [{ name: 'sessions', service: 'redis-cluster', seeds: [formatAddress(node.master.address)] }],
  },
});

/** What DNS answers, by A and by SRV with the targets looked up. */
async function lookUp(name: string): Promise<{ readonly a: readonly string[]; readonly srv: readonly string[] }> {
  const srv = await consul.dnsSrv(name);
  const addresses = await Promise.all(
    srv.map(async ({ target, port }) => `${(await consul.dnsA(target)).join()}:${port}`),
  );
  return { a: await consul.dnsA(name), srv: addresses.sort() };
}

t.test("Consul's DNS answers for everything, by A and by SRV", async (t) => {
  const [replica] = shard.replicas;
  const wanted = {
    'redis-master.service.consul': [shard.master.address],
    'shard1.redis-master.service.consul': [shard.master.address],
    'redis-replica.service.consul': [replica?.address ?? listen],
    'shard1.redis-replica.service.consul': [replica?.address ?? listen],
    'redis-proxy.service.consul': [listen],
    'twemproxy.redis-proxy.service.consul': [listen],
    'redis-cluster.service.consul': [node.master.address],
    'sessions.redis-cluster.service.consul': [node.master.address],
    'redis-sentinel.service.consul': sentinels.map(({ address }) => address),
    'master.redis.service.consul': [shard.master.address],
  };
  for (const [name, addresses] of Object.entries(wanted)) {
    const expected = { a: addresses.map(({ host }) => host).sort(), srv: addresses.map(formatAddress).sort() };
    const found = await waitFor(`${name} to answer`, () => lookUp(name), {
      until: ({ a, srv }) => a.length === addresses.length && srv.length === addresses.length,
    });
    t.strictSame(found, expected, name);
  }
});

t.test('the Node client of the docs follows a failover by DNS alone', async (t) => {
  const [block] = blocksOf(await readPage('docs/guide/applications.md')).filter(({ language }) => language === 'js');
  const folder = t.testdir({});
  writeFileSync(join(folder, 'client.mjs'), block?.content ?? '');
  const { makeClient } = await import(pathToFileURL(join(folder, 'client.mjs')).href);
  const client = makeClient(formatAddress(consul.dns), 'shard1.redis-master.service.consul');
  t.teardown(() => client.disconnect());
  t.equal(await client.set('key', 'before'), 'OK');
  await waitFor('the replica to have it', () => shard.replicas[0]?.command('GET', 'key'), {
    until: (value) => value === 'before',
  });
  await shard.master.kill();
  await waitFor('a write after the failover', () => client.set('key', 'after'), { timeoutMs: 60_000 });
  t.equal(await shard.replicas[0]?.command('GET', 'key'), 'after');
});
