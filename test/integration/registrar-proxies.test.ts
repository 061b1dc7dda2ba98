import t from 'tap';
import { formatAddress } from '../../lib/model/address.ts';
import { waitFor } from '../sandbox/condition.ts';
import { RespConnection } from '../sandbox/resp.ts';
import { Sandbox } from '../sandbox/sandbox.ts';
import { instanceOf, startRegistrar, untilSays } from './registering.ts';

t.setTimeout(120_000);
const sandbox = await Sandbox.openFor(t, { name: 'proxies' });
const [consul, shard] = await Promise.all([sandbox.consul(), sandbox.redis({ name: 'shard1', replicas: 0 })]);
const backend = formatAddress(shard.master.address);

t.test('twemproxy: a PING through it', async (t) => {
  const listen = await sandbox.address();
  const pool = `pool:\n  listen: ${formatAddress(listen)}\n  redis: true\n  timeout: 200\n  servers:\n    - ${backend}:1 shard1\n`;
  const configFile = sandbox.write('nutcracker.yml', pool);
  const proxy = await sandbox.nutcracker({ configFile, listen });
  const id = `twemproxy-${formatAddress(listen)}`;
  startRegistrar(t, { consul, instances: [{ kind: 'twemproxy', address: listen }] });
  await untilSays(consul, id, 'passing: answers');
  t.strictSame((await instanceOf(consul, id))?.Service.Tags, ['twemproxy']);
  proxy.pause();
  await untilSays(consul, id, 'critical: does not answer in time');
  proxy.resume();
  await untilSays(consul, id, 'passing: answers');
  await proxy.kill();
  await untilSays(consul, id, 'critical: refuses connections');
});

t.test('HAProxy: its listener, and its backends by its stats socket', async (t) => {
  const listen = await sandbox.address();
  const socket = sandbox.path('haproxy.sock');
  const configFile = sandbox.write(
    'haproxy.cfg',
    `global
    stats socket ${socket} mode 600 level admin
defaults
    mode tcp
    timeout connect 1s
    timeout client 10s
    timeout server 10s
frontend shard1
    bind ${formatAddress(listen)}
    default_backend shard1
backend shard1
    server master ${backend} check inter 100ms fall 1 rise 1
`,
  );
  await sandbox.haproxy({ configFile, listen });
  const id = `haproxy-${formatAddress(listen)}`;
  const registrar = startRegistrar(t, {
    consul,
    instances: [{ kind: 'haproxy', address: listen, more: { stats: socket, deregisterOnStop: true } }],
  });
  await untilSays(consul, id, 'passing: answers');
  const one = await waitFor('its version', () => instanceOf(consul, id), {
    until: (found) => found?.Service.Meta.version !== undefined,
  });
  t.match(one?.Service, { Tags: ['haproxy'], Meta: { version: /^\d+\.\d+/ } });
  const connection = await RespConnection.open(listen);
  t.equal(await connection.command('PING'), 'PONG');
  connection.close();
  await shard.master.kill();
  await untilSays(consul, id, 'warning: no server answers for shard1');
  await shard.master.start();
  await untilSays(consul, id, 'passing: answers');
  await registrar.stop();
  t.equal(await instanceOf(consul, id), undefined, 'it asked to be deregistered with the daemon');
});
