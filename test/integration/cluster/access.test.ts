import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { Cluster } from 'ioredis';
import t from 'tap';
import { type Address, formatAddress } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { RedisServer } from '../../sandbox/redis.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { clusterRecordOf, mastersOf, startCluster, startFollower, untilRecord } from '../support/clustering.ts';
import { instanceOf } from '../support/registering.ts';

// One Redis Cluster with everything on: a password for the nodes, an ACL user for switchmaster, TLS for clients and for
// the bus, and hostnames instead of addresses. `localhost` is the one name that every machine can look up.
t.setTimeout(240_000);
const sandbox = await Sandbox.openFor(t, { name: 'cluster-access' });
const [cert, key] = [sandbox.path('tls.crt'), sandbox.path('tls.key')];
const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
execFileSync('openssl', ['req', '-x509', ...curve, '-nodes', '-days', '2', ...subject, '-keyout', key, '-out', cert], {
  stdio: 'pipe',
});
const places = await Promise.all(Array.from({ length: 6 }, () => sandbox.address()));
const ports = places.map(({ port }) => port);
const [consul, cluster] = await Promise.all([
  sandbox.consul(),
  startCluster(sandbox, {
    name: 'secret',
    password: 'pass',
    ports,
    configs: ports.map((port) => ({
      'tls-port': String(port),
      'tls-cluster': 'yes',
      'tls-replication': 'yes',
      'tls-auth-clients': 'no',
      'tls-cert-file': cert,
      'tls-key-file': key,
      'tls-ca-cert-file': cert,
      'cluster-announce-hostname': 'localhost',
      'cluster-preferred-endpoint-type': 'hostname',
    })),
  }),
]);
const { nodes } = cluster;
const [a] = nodes as [RedisServer];
for (const node of nodes) {
  // What docs/reference/redis-acl.md says that a registrar and a follower need, and no more.
  await node.command('ACL', 'SETUSER', 'watcher', 'on', '>word', '+info', '+role', '+cluster');
  await node.command('CONFIG', 'SET', 'bind', `${node.address.host} 127.0.0.1`);
}
const named: readonly Address[] = ports.map((port) => ({ host: 'localhost', port }));
const at = (index: number) => formatAddress(named[index] ?? a.address);
const tls = { ca: readFileSync(cert, 'utf8'), verify: true };

t.test('the record and the services have hostnames and TLS ports, read by a user with the least rights', async (t) => {
  const access = { username: 'watcher', passwordFile: sandbox.write('watcher', 'word'), tls: { caFile: cert } };
  const listen = await sandbox.address();
  const files = { seeds: sandbox.path('seeds.json'), haproxy: sandbox.path('haproxy.cfg') };
  const haproxy = await sandbox.haproxy({ configFile: files.haproxy, listen, start: 'later' });
  const vars = { cluster: 'secret', bind: formatAddress(listen), stats_socket: sandbox.path('ha.sock'), ca_file: cert };
  const check = { interval: '200ms', consulInterval: '1s' };
  await sandbox.switchmaster({
    config: {
      consul: { address: consul.url },
      register: named.map((address) => ({
        kind: 'cluster',
        name: 'secret',
        address: formatAddress(address),
        ...access,
        check,
      })),
      cluster: [{ name: 'secret', seeds: [at(0)], ...access, resync: '200ms' }],
      templates: [
        { source: 'redis-cluster.json.hbs', destination: files.seeds, vars: { cluster: 'secret' } },
        {
          source: 'redis-cluster-haproxy.cfg.hbs',
          destination: files.haproxy,
          vars: { ...vars, check_inter: '100ms' },
          check: ['haproxy', '-c', '-f', '{{file}}'],
          reload: haproxy.reloadCommand,
        },
      ],
    },
  });
  const record = await untilRecord(consul, 'secret', {
    what: 'all nodes',
    until: ({ state, shards }) => state === 'ok' && shards.every(({ replicas }) => replicas.length === 1),
  });
  t.strictSame(
    record?.shards.map(({ master, replicas }) => [master, replicas]),
    [0, 1, 2].map((i) => [named[i], [named[i + 3]]]),
  );
  t.match(record, { state: 'ok', uncovered: [] });
  for (const [i] of nodes.entries()) {
    const one = await waitFor(`${at(i)} to pass`, () => instanceOf(consul, `cluster-${at(i)}`), {
      until: (found) => found?.Service.Tags.length === 2 && found.Checks.every(({ Status }) => Status === 'passing'),
    });
    // On other nodes `localhost` would be another server, so the record has this node's address.
    t.match(one?.Service, { Address: '', Port: ports[i], Tags: ['secret', i < 3 ? 'master' : 'replica'] });
  }

  const readSeeds = () => JSON.parse(existsSync(files.seeds) ? readFileSync(files.seeds, 'utf8') : '{}').seeds;
  const seeds: string[] = await waitFor('seeds', readSeeds, { until: (found) => found?.length === 3 });
  t.strictSame(seeds, [at(0), at(1), at(2)]);
  const client = startClient(seeds.map(toAddress));
  const throughHaproxy = startClient([listen]);
  t.teardown(() => [client, throughHaproxy].map((one) => one.disconnect()));
  t.equal(await waitFor('a write by seeds', () => client.set('key', '1')), 'OK');
  t.equal(await waitFor('a write by HAProxy', () => throughHaproxy.set('other', '1')), 'OK');

  await a.kill();
  await untilRecord(consul, 'secret', {
    what: 'the promoted replica',
    until: (r) => mastersOf(r).join() === [at(1), at(2), at(3)].sort().join() && r.uncovered.length === 0,
  });
  await waitFor('its tag', () => instanceOf(consul, `cluster-${at(3)}`), {
    until: (found) => found?.Service.Tags.includes('master') === true,
  });
  await waitFor('the seeds to follow', readSeeds, {
    until: (now: string[]) => [...now].sort().join() === [at(1), at(2), at(3)].sort().join(),
  });
  t.equal(await waitFor('a write after it', () => client.set('key', '2')), 'OK');
  const late = startClient([listen]);
  t.teardown(() => late.disconnect());
  t.equal(await waitFor('a new client by HAProxy', () => late.get('key')), '2');
});

t.test('a refused login and a certificate for another name are reported as such', async (t) => {
  for (const { access, wanted } of [
    { access: { username: 'watcher', password: 'wrong', tls }, wanted: /WRONGPASS/ },
    {
      access: { username: 'watcher', password: 'word', tls: { ...tls, serverName: 'else' } },
      wanted: /certificate|altname/i,
    },
  ]) {
    const { part, stop } = startFollower(t, {
      consul,
      id: 'refused',
      clusters: [{ name: 'refused', seeds: named.slice(1), access }],
    });
    await waitFor(`the problem to be ${wanted}`, () => part.list()[0]?.problem, {
      until: (problem) => wanted.test(problem ?? ''),
    });
    await stop();
  }
  t.equal(await clusterRecordOf(consul, 'refused'), undefined);
});

/** An application's client, whose seeds are the proxy or nodes. */
function startClient(seeds: readonly Address[]): Cluster {
  const client = new Cluster([...seeds], {
    redisOptions: { password: 'pass', connectTimeout: 1_000, tls: { ca: tls.ca, servername: 'localhost' } },
    slotsRefreshTimeout: 2_000,
    dnsLookup: (host, callback) => callback(null, host),
    clusterRetryStrategy: () => 50,
  });
  client.on('error', () => {});
  return client;
}

function toAddress(text: string): Address {
  const [host = '', port] = text.split(':');
  return { host, port: Number(port) };
}
