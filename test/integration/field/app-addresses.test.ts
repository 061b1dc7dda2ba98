import { Resolver } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { type Address, formatAddress } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { pairs, redisCli } from '../../sandbox/resp.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { failOver, only, recordOf } from '../support/bridging.ts';
import { makeLoopbackCertificate } from '../support/loopback-certificate.ts';

/*
 * The addresses that applications get: in files, by DNS, and from the Sentinel endpoint. Every server has a TLS port beside its
 * plain one, and the replica announces another address than it replicates from.
 */
t.setTimeout(240_000);
const sandbox = await Sandbox.openFor(t, { name: 'field-addresses' });
const { certFile, keyFile, cert } = makeLoopbackCertificate(sandbox);
const tlsPort = 16_380;
const config = {
  'tls-port': String(tlsPort),
  'tls-cert-file': certFile,
  'tls-key-file': keyFile,
  'tls-auth-clients': 'no',
};
const [consul, shard, own, announced, listen] = await Promise.all([
  sandbox.consul(),
  sandbox.redis({ name: 'shard1', replicas: 0, config }),
  sandbox.address(),
  sandbox.address(),
  sandbox.address(),
]);
const { name, master } = shard;
const replica = { host: announced.host, port: own.port };
const lines = {
  ...{
    bind: `${own.host} ${replica.host}`,
    port: own.port,
    'bind-source-addr': own.host,
    save: '""',
    'repl-diskless-sync-delay': 0,
    // A title is written over the environment, by which the sandbox finds its processes at the end.
    'set-proc-title': 'no',
    ...config,
  },
  ...{ replicaof: `${master.address.host} ${master.address.port}`, 'replica-announce-ip': replica.host },
};
const file = sandbox.write(
  'replica.conf',
  Object.entries(lines)
    .map((line) => `${line.join(' ')}\n`)
    .join(''),
);
const ready = async () => String(await redisCli(replica, ['INFO', 'replication'])).includes('master_link_status:up');
const sentinel = only(await sandbox.sentinels({ count: 1, masters: [shard] }));
await sentinel.command('SENTINEL', 'DEBUG', 'info-period', 200);
await sandbox.program({ name: 'replica', argv: ['redis-server', file, '--protected-mode no'], ready }).start();
await sandbox.localDaemon({
  config: {
    consul: { address: consul.url },
    publish: { [name]: { port: tlsPort } },
    sentinel: { addresses: [formatAddress(sentinel.address)], masters: [name] },
    sentinelEndpoint: { listen: formatAddress(listen) },
    templates: [
      { source: 'app.json.hbs', destination: sandbox.path('app.json') },
      { source: 'haproxy.cfg.hbs', destination: sandbox.path('haproxy.cfg'), vars: { ports: { [name]: 16_379 } } },
    ],
  },
});
const resolver = new Resolver();
resolver.setServers([formatAddress(consul.dns)]);

interface Served extends Address {
  readonly replicas: readonly Address[];
}
const readFile = (): Served => JSON.parse(readFileSync(sandbox.path('app.json'), 'utf8')).masters[name];
const published = ({ host }: Address) => ({ host, port: tlsPort });

/** Waits until the record has these servers, and checks each place. */
async function expectAt(t: Test, at: { readonly master: Address; readonly replica: Address }): Promise<void> {
  const record = await recordOf(consul, name, { master: { address: at.master } });
  t.strictSame(record.master, at.master, 'the record has the real address');
  const served = await waitFor('the file', readFile, {
    until: ({ host, replicas }) => host === at.master.host && replicas.length > 0,
  });
  t.strictSame(served, { ...published(at.master), replicas: [published(at.replica)] }, 'app.json');
  await waitFor('the file of HAProxy', () => readFileSync(sandbox.path('haproxy.cfg'), 'utf8'), {
    until: (text) => text.includes(`server master ${formatAddress(at.master)} check`),
  });
  const query = `${name}.redis-master.service.consul`;
  await waitFor('DNS', () => resolver.resolve4(query), { until: (hosts) => hosts.join() === at.master.host });
  t.strictSame(
    (await resolver.resolveSrv(query)).map(({ port }) => port),
    [tlsPort],
  );
  await waitFor('the endpoint', () => redisCli(listen, ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name]), {
    until: (address) => String(address) === `${at.master.host},${tlsPort}`,
  });
  const replicas = async () => ((await redisCli(listen, ['SENTINEL', 'REPLICAS', name])) as never[]).map(pairs);
  const [listed] = await waitFor('its replica', replicas, { until: ([one]) => one?.ip === at.replica.host });
  t.match(listed, { port: String(tlsPort), 'master-port': String(tlsPort) });
}

t.test('clients get the published addresses, before and after a failover, and write there over TLS', async (t) => {
  await expectAt(t, { master: master.address, replica });
  const client = new Redis({
    sentinels: [listen],
    name,
    failoverDetector: true,
    enableTLSForSentinelMode: true,
    tls: { ca: cert, checkServerIdentity: () => undefined },
    lazyConnect: true,
  });
  client.on('error', () => {});
  client.on('end', () => client.connect().catch(() => {}));
  t.teardown(() => client.removeAllListeners('end').disconnect());
  await client.connect();
  t.equal(await client.set('key', 'before'), 'OK');
  await failOver(sentinel, name);
  await expectAt(t, { master: replica, replica: master.address });
  await waitFor('the client to write at the new master', () => client.set('key', 'after'));
  t.equal(client.stream.remoteAddress, replica.host);
  t.equal(await redisCli(replica, ['GET', 'key']), 'after');
});

t.test('a replica that is gone leaves the file while Sentinel lists it, and returns with the process', async (t) => {
  const untilListed = (count: number) =>
    waitFor(`${count} replicas in the file`, readFile, {
      until: ({ replicas }) => replicas.length === count,
      timeoutMs: 60_000,
    });
  await master.kill();
  await untilListed(0);
  const listed = await sentinel.command('SENTINEL', 'REPLICAS', name);
  t.equal(Array.isArray(listed) && listed.length, 1, 'Sentinel still lists it');
  await master.restart();
  t.strictSame((await untilListed(1)).replicas, [published(master.address)]);
});
