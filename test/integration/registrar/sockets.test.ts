import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import t from 'tap';
import { loadConfig } from '../../../lib/config/load.ts';
import { askServers } from '../../../lib/doctor/online.ts';
import { formatAddress } from '../../../lib/model/address.ts';
import { instanceId } from '../../../lib/model/instance.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import {
  instanceOf,
  instancesOf,
  makeInstance,
  putRecordOf,
  startRegistrar,
  untilSays,
} from '../support/registering.ts';
import { makeFolder, startRendering } from '../support/rendering.ts';

t.setTimeout(240_000);
const sandbox = await Sandbox.openFor(t, { name: 'sockets' });
const unixsocket = sandbox.path('redis.sock');
const [consul, shard] = await Promise.all([
  sandbox.consul(),
  sandbox.redis({ name: 'shard1', replicas: 0, config: { unixsocket } }),
]);
const backend = formatAddress(shard.master.address);
const stale = 'critical: left a socket file on which nobody listens; start it, and read its log if it does not stay up';
const missing = 'critical: has no socket at this path; start it, or correct the path';

t.test('a twemproxy on a socket is registered without a port, and its check is the report alone', async (t) => {
  const socket = sandbox.path('nutcracker.sock');
  const pool = `pool:\n  listen: ${socket} 0666\n  redis: true\n  timeout: 200\n  servers:\n    - ${backend}:1 shard1\n`;
  const proxy = await sandbox.nutcracker({ configFile: sandbox.write('nutcracker.yml', pool), start: 'later' });
  const id = instanceId('twemproxy', socket);
  const registrar = startRegistrar(t, {
    consul,
    instances: [{ kind: 'twemproxy', address: socket, more: { tags: ['mine'] } }],
  });
  await untilSays(consul, id, missing);
  await proxy.start();
  await untilSays(consul, id, 'passing: answers');
  const one = await waitFor('it to pass', () => instanceOf(consul, id), {
    until: (found) => found?.Checks.every(({ Status }) => Status === 'passing') === true,
  });
  t.equal(one?.Service.Port ?? 0, 0, 'Consul 1.10 and later leave out a port of 0');
  t.match(one?.Service, { Address: '', Tags: ['twemproxy', 'mine'], Meta: { socket, checks: 'report' } });
  t.strictSame(
    one?.Checks.map(({ CheckID }) => CheckID).filter((check) => check !== 'serfHealth'),
    [`${id}:switchmaster`],
  );
  t.match(registrar.part.instances.list(), [{ id, address: null, socket, check: { status: 'passing' } }]);

  const folder = makeFolder(t);
  const template =
    '{{#each (service "redis-proxy|any")}}{{meta.socket}} {{port}} {{#if address}}node{{/if}}\n{{/each}}';
  const spec = { name: 'proxies', template, destination: `${folder}/proxies` };
  const rendering = startRendering(t, { consul, folder, specs: [spec], resyncMs: 60_000 });
  await rendering.until('current');
  t.equal(readFileSync(spec.destination, 'utf8'), `${socket} 0 node\n`);

  proxy.pause();
  await untilSays(consul, id, 'critical: does not answer in time');
  proxy.resume();
  await untilSays(consul, id, 'passing: answers');
  await proxy.kill();
  await untilSays(consul, id, stale);
});

t.test('an HAProxy on a socket passes while it listens', async (t) => {
  const socket = sandbox.path('haproxy.sock');
  const config = `defaults
    mode tcp
    timeout connect 1s
    timeout client 10s
    timeout server 10s
listen shard1
    bind ${socket}
    server master ${backend}
`;
  const proxy = await sandbox.haproxy({ configFile: sandbox.write('haproxy.cfg', config) });
  const id = instanceId('haproxy', socket);
  startRegistrar(t, { consul, instances: [{ kind: 'haproxy', address: socket }] });
  await untilSays(consul, id, 'passing: answers');
  await proxy.kill();
  await untilSays(consul, id, stale);
});

t.test('a Redis on a socket gets the role of the record that lists its port', async (t) => {
  await putRecordOf(consul, { name: 'shard1', master: shard.master.address });
  const id = instanceId('redis', unixsocket);
  startRegistrar(t, { consul, instances: [{ kind: 'redis', address: unixsocket }] });
  await untilSays(consul, id, 'passing: answers');
  const one = await waitFor('its role', () => instanceOf(consul, id), {
    until: (found) => found?.Service.Meta.role === 'master',
  });
  const { host } = shard.master.address;
  t.match(one?.Service, { Address: host, Tags: ['shard1', 'master'], Meta: { name: 'shard1' } });
  await shard.master.kill();
  await untilSays(consul, id, stale);
  await shard.master.start();
  await untilSays(consul, id, 'passing: answers');
});

t.test('one process that several addresses lead to has one registration', async (t) => {
  const { host, port } = shard.master.address;
  const forwarder = createServer((client) => {
    const server = connect(port, host);
    for (const socket of [client, server])
      socket.on('error', () => {}).on('close', () => [client, server].map((one) => one.destroy()));
    client.pipe(server).pipe(client);
  }).listen(0, host);
  await once(forwarder, 'listening');
  t.teardown(() => forwarder.close());
  const proxied = { host, port: (forwarder.address() as AddressInfo).port };
  const id = instanceId('redis', unixsocket);
  const { id: _, address: __, origin: ___, ...pattern } = makeInstance({ kind: 'redis', address: unixsocket }).spec;
  const discovery = { pattern, hosts: [host], matches: (name: string) => name === 'shard1' };
  const ids = async () => (await instancesOf(consul, 'redis')).map(({ Service }) => Service.ID).sort();

  await putRecordOf(consul, { name: 'shard1', master: shard.master.address, replicas: [proxied], epoch: 2 });
  const before = startRegistrar(t, { consul, instances: [], discoveries: [{ discovery, access: {} }] });
  const addresses = [shard.master.address, proxied].map((one) => instanceId('redis', one)).sort();
  await waitFor('one of the two that the record lists', ids, { until: (all) => all.join() === addresses[0] });
  await waitFor('it alone to be shown, as the master', async () => before.part.instances.list(), {
    until: ([one, ...more]) => one?.id === addresses[0] && one?.role === 'master' && more.length === 0,
  });
  await before.stop();

  const instances = [unixsocket, shard.master.address].map((address) => ({ kind: 'redis', address }) as const);
  const registrar = startRegistrar(t, { consul, instances, discoveries: [{ discovery, access: {} }] });
  await waitFor('the first one of the config alone', ids, { until: (all) => all.join() === id });
  const one = await waitFor('the address of the record', () => instanceOf(consul, id), {
    until: (found) => found?.Service.Port === port && found.Checks.every(({ Status }) => Status === 'passing'),
  });
  t.match(one?.Service, { Address: host, Tags: ['shard1', 'master'], Meta: { socket: unixsocket } });
  const listed = await waitFor(
    'what a record lists not to be shown again',
    async () => registrar.part.instances.list(),
    {
      until: (all) => all.length === 2 && all[1]?.check !== null,
    },
  );
  t.match(listed, [{ id, check: { status: 'passing' } }, { check: { status: 'warning', output: /same process as/ } }]);

  await shard.master.kill();
  await untilSays(consul, id, stale);
  await shard.master.start();
  await untilSays(consul, id, 'passing: answers');
  // The new process has another run id, by which the two are one again after a moment.
  await waitFor('it alone after a restart', ids, { until: (all) => all.join() === id });
  await registrar.stop();
});

t.test('check --online asks at the sockets', async (t) => {
  const gone = sandbox.path('gone.sock');
  const file = sandbox.write(
    'config.yaml',
    `consul: { address: "http://${consul.http.host}:${consul.http.port}" }
register:
  - { kind: redis, address: ${unixsocket} }
  - { kind: twemproxy, address: ${gone} }
  - { kind: redis, address: ${gone} }
`,
  );
  const findings = await askServers(await loadConfig({ paths: [file], environment: {} }));
  t.match(
    findings.filter(({ server }) => !server.startsWith('consul')),
    [
      { server: `redis ${unixsocket}`, answers: true, says: 'lets the bridge in, as a master' },
      { server: `redis ${gone}`, answers: false, fault: 'socket-missing', hint: /start it/ },
      { server: `twemproxy ${gone}`, answers: false, fault: 'socket-missing', hint: /start it/ },
    ],
  );
});
