import { once } from 'node:events';
import { connect } from 'node:net';
import { Redis } from 'ioredis';
import t from 'tap';
import { Secret } from '../../../lib/config/secret.ts';
import { SwitchmasterError } from '../../../lib/errors.ts';
import { formatRecord } from '../../../lib/model/record.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { RespConnection, redisCli } from '../../sandbox/resp.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { makeRecord } from '../../template/world.ts';
import { startEndpoint } from '../support/endpoints.ts';
import { makeLoopbackCertificate } from '../support/loopback-certificate.ts';

// Credentials, TLS and limits. The test writes the record: its servers need not run.
const sandbox = await Sandbox.openFor(t, { name: 'endpoint-access' });
const consul = await sandbox.consul();
await consul.putKey('redis/record/shard1', formatRecord(makeRecord()));
await consul.putKey('redis/master/shard1', '10.0.0.1:6379');
const question = ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'shard1'];

/** Connects, sends text, and returns everything until the endpoint closes the connection. */
async function sendRaw(port: number, text: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port });
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk;
  });
  socket.on('error', () => {});
  socket.write(text);
  await once(socket, 'close');
  return received;
}

t.test('with a password nobody reads without it', async (t) => {
  const reader = { username: 'default', password: new Secret('right') };
  const { address } = await startEndpoint(t, { consul, settings: { reader } });
  await t.rejects(redisCli(address, question), /^NOAUTH/);
  await t.rejects(redisCli(address, ['AUTH', 'wrong']), /WRONGPASS/);
  await t.rejects(redisCli(address, ['HELLO', '3', 'AUTH', 'default', 'wrong']), /WRONGPASS/);
  const connection = await RespConnection.open(address, { password: 'right' });
  t.teardown(() => connection.close());
  const answer = () => connection.command(...question);
  t.strictSame(await waitFor('the record', answer, { until: Array.isArray }), ['10.0.0.1', '6379']);
  await connection.command('RESET');
  await t.rejects(answer(), /NOAUTH/, 'RESET ends the login');
  const guess = '*2\r\n$4\r\nAUTH\r\n$1\r\nx\r\n'.repeat(50);
  const replies = await sendRaw(address.port, guess);
  t.equal(replies.split('WRONGPASS').length - 1, 10, 'ten guesses a connection');
});

t.test('only the operator may send SENTINEL FAILOVER', async (t) => {
  const ordered: string[] = [];
  const operator = { username: 'ops', password: new Secret('secret') };
  const failOver = async (name: string) => {
    ordered.push(name);
    if (ordered.length > 1) throw new SwitchmasterError('failover-refused', 'no replica is in step');
  };
  const { address } = await startEndpoint(t, { consul, settings: { operator }, failOver });
  await waitFor('the record', () => redisCli(address, question), { until: Array.isArray });
  await t.rejects(redisCli(address, ['SENTINEL', 'FAILOVER', 'shard1']), /NOPERM/);
  const connection = await RespConnection.open(address);
  t.teardown(() => connection.close());
  t.equal(await connection.command('AUTH', 'ops', 'secret'), 'OK');
  t.equal(await connection.command('SENTINEL', 'FAILOVER', 'shard1'), 'OK');
  await t.rejects(connection.command('SENTINEL', 'FAILOVER', 'shard1'), /ERR no replica is in step/);
  await t.rejects(connection.command('SENTINEL', 'FAILOVER', 'none'), /No such master/);
  t.strictSame(ordered, ['shard1', 'shard1']);
});

t.test('TLS, and a certificate of the client', async (t) => {
  const { cert, key } = makeLoopbackCertificate(sandbox);
  const tls = { cert, key: new Secret(key), clientCa: cert };
  const { address } = await startEndpoint(t, { consul, settings: { tls } });
  const open = (client: object) => {
    const redis = new Redis({
      host: address.host,
      port: address.port,
      tls: { ca: cert, ...client },
      lazyConnect: true,
    });
    redis.on('error', () => {});
    t.teardown(() => redis.disconnect());
    return redis;
  };
  const known = open({ cert, key });
  const ask = () => known.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'shard1');
  t.strictSame(await waitFor('the record over TLS', ask, { until: Array.isArray }), ['10.0.0.1', '6379']);
  const unknown = open({});
  unknown.options.maxRetriesPerRequest = 0;
  await t.rejects(unknown.call('PING'));
});

t.test('limits: what is too long, too many, or not RESP', async (t) => {
  const { address } = await startEndpoint(t, { consul, settings: { maxConnections: 2, idleMs: 3_000 } });
  t.match(await sendRaw(address.port, '*100000\r\n'), /^-ERR Protocol error: invalid multibulk length/);
  t.match(await sendRaw(address.port, '*1\r\n$999999999\r\n'), /invalid bulk length/);
  t.match(await sendRaw(address.port, 'POST / HTTP/1.1\r\nHost: x\r\n\r\n'), /this port does not speak HTTP/);
  t.equal(await sendRaw(address.port, 'QUIT\r\nPING\r\n'), '+OK\r\n');
  const silent = ['CLIENT REPLY OFF', 'PING', 'CLIENT REPLY ON', 'CLIENT REPLY SKIP', 'PING', 'PING', 'QUIT'];
  t.equal(await sendRaw(address.port, silent.map((line) => `${line}\r\n`).join('')), '+OK\r\n+PONG\r\n+OK\r\n');
  const skipped = [
    'CLIENT REPLY SKIP',
    'CLIENT REPLY SKIP',
    'PING',
    'PING "a b"',
    'CLIENT REPLY OFF',
    'CLIENT REPLY SKIP',
  ];
  const rest = [...skipped, 'PING', 'PING', 'CLIENT REPLY ON', 'QUIT'];
  t.equal(await sendRaw(address.port, rest.map((line) => `${line}\r\n`).join('')), '$3\r\na b\r\n+OK\r\n+OK\r\n');
  const open = await Promise.all([1, 2].map(() => RespConnection.open(address)));
  t.match(await sendRaw(address.port, 'PING\r\n'), /max number of clients reached/);
  await Promise.all(open.map((connection) => connection.command('PING')));
  await waitFor('idle connections to be closed', () => open.every(({ closed }) => closed));
  const subscriber = await RespConnection.open(address);
  t.teardown(() => subscriber.close());
  await subscriber.command('SUBSCRIBE', '+switch-master');
  const idle = await RespConnection.open(address);
  await idle.command('PING');
  await waitFor('a later connection to be closed as idle', () => idle.closed);
  t.notOk(subscriber.closed, 'a subscriber stays');
});
