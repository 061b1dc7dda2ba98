import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { ReconnectPace } from '../../lib/client/reconnect-pace.ts';
import { RedisLink } from '../../lib/client/redis.ts';
import { RespConnection } from '../../lib/client/resp-connection.ts';
import type { Address } from '../../lib/model/address.ts';
import { waitFor } from '../sandbox/condition.ts';

const master = '*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n';

interface Rude {
  readonly address: Address;
  /** What each connection has sent. */
  readonly received: string[];
  readonly sockets: Socket[];
}

/** A server that treats its first connection in its own way. The others are answered as a master answers. */
async function serve(t: Test, first: (socket: Socket) => void): Promise<Rude> {
  const [received, sockets]: [string[], Socket[]] = [[], []];
  const server = createServer((socket) => {
    const index = sockets.push(socket.on('error', () => {})) - 1;
    received[index] = '';
    socket.on('data', (chunk) => {
      received[index] += String(chunk);
      if (index > 0) socket.write(master.repeat(String(chunk).split('ROLE').length - 1));
    });
    if (index === 0) first(socket);
  }).listen(0, '127.0.0.1');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await once(server, 'listening');
  return { address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port }, received, sockets };
}

function open(t: Test, address: Address, access: { password?: string; username?: string } = {}): RespConnection {
  const connection = new RespConnection(address, access, new ReconnectPace());
  t.teardown(() => connection.close());
  return connection.on('error', () => {});
}

const onQuestion = (answer: string) => (socket: Socket) => socket.once('data', () => socket.write(answer, 'latin1'));

/** What a server does at a question, and why its answer is `unreachable`. */
const rude: readonly (readonly [string, (socket: Socket) => void, RegExp])[] = [
  [
    'speaks another protocol',
    onQuestion('HTTP/1.1 400 Bad Request\r\n\r\n'),
    /not of Redis' protocol|another protocol/,
  ],
  ['sends bytes without a line break', onQuestion('\x00\xff'.repeat(1_000)), /not of Redis' protocol|another protocol/],
  ['sends a TLS alert', onQuestion('\x15\x03\x03\x00\x02\x02\x28'), /not of Redis' protocol|TLS|closes/],
  ['announces a string of 2 GB', onQuestion('$2147483647\r\n'), /too long/],
  [
    'sends a string without an end',
    (socket) => socket.once('data', () => socket.write(`+${'x'.repeat(100_000)}`)),
    /too long a line/,
  ],
  ['nests lists without an end', onQuestion('*1\r\n'.repeat(1_000)), /too many levels/],
  [
    'closes in the middle of a reply',
    (socket) => socket.once('data', () => socket.end('*3\r\n$6\r\nmas')),
    /closed|closes/,
  ],
  ['resets the connection', (socket) => socket.once('data', () => socket.resetAndDestroy()), /ECONNRESET/],
];

for (const [what, behave, error] of rude)
  t.test(`a server that ${what} is unreachable, and a master when it answers as one`, async (t) => {
    const { address, sockets } = await serve(t, behave);
    const link = new RedisLink(address, {});
    t.teardown(() => link.close());
    t.match(await link.role({ timeoutMs: 5_000 }), { role: 'unreachable', error });
    await waitFor('its answer', () => link.role({ timeoutMs: 5_000 }), { until: ({ role }) => role === 'master' });
    t.ok(sockets.length >= 2, 'over another connection');
  });

t.test(
  'a reply without a question ends the connection, so that no later one is taken for another answer',
  async (t) => {
    const { address, sockets } = await serve(t, (socket) => socket.write('+OK\r\n'));
    const connection = open(t, address);
    const [error] = await once(connection, 'error');
    t.match(error, { name: 'ProtocolError', message: /without a question/ });
    t.equal(await once(connection, 'close').then(([why]) => why), 'lost');
    t.strictSame(
      await connection.send(['ROLE']).catch(() => once(connection, 'ready').then(() => connection.send(['ROLE']))),
      ['master', 0, []],
    );
    t.equal(sockets.length, 2);
  },
);

t.test('an error without a question is why the server ends the connection', async (t) => {
  const { address } = await serve(t, (socket) => socket.end('-ERR max number of clients reached\r\n'));
  const [error] = await once(open(t, address), 'error');
  t.match(error, { name: 'ReplyError', message: 'ERR max number of clients reached' });
});

t.test('pushes between answers are no answers', async (t) => {
  const push = '>2\r\n+invalidate\r\n*1\r\n+key\r\n';
  const { address } = await serve(t, (socket) => {
    socket.write(push);
    socket.on('data', () => socket.write(`${push}${master}${push}`));
  });
  const connection = open(t, address);
  t.strictSame(await connection.send(['ROLE']), ['master', 0, []]);
  t.strictSame(await connection.send(['ROLE']), ['master', 0, []]);
});

t.test('a subscription is confirmed in RESP2 and in RESP3, and its messages are no answers', async (t) => {
  for (const type of ['*', '>']) {
    const message = `${type}4\r\n+pmessage\r\n+*\r\n+a\r\n+b\r\n`;
    const { address, sockets } = await serve(t, (socket) =>
      socket.once('data', () => {
        socket.write(`${type}3\r\n+psubscribe\r\n+*\r\n:1\r\n${message}`);
        socket.once('data', () => socket.write(`+PONG\r\n${message}`));
      }),
    );
    const connection = open(t, address);
    t.strictSame(await connection.send(['PSUBSCRIBE', '*']), ['psubscribe', '*', 1]);
    t.equal(await connection.send(['PING']), 'PONG');
    t.equal(sockets.length, 1);
  }
});

t.test('answers belong to the questions in their order, also a late one', async (t) => {
  const answers = ['+1\r\n', '-ERR 2\r\n', '+3\r\n'];
  const { address, received } = await serve(t, (socket) =>
    socket.on('data', () => {
      if (socket.bytesRead > 30) for (const answer of answers.splice(0)) socket.write(answer);
    }),
  );
  const connection = open(t, address);
  await once(connection, 'ready');
  const asked = [connection.send(['A']), ...connection.sendAll([['B'], ['C', 'é', 7]])];
  const settled = await Promise.allSettled(asked);
  t.match(settled, [{ value: '1' }, { reason: { name: 'ReplyError', message: 'ERR 2' } }, { value: '3' }]);
  t.equal(received[0], '*1\r\n$1\r\nA\r\n*1\r\n$1\r\nB\r\n*3\r\n$1\r\nC\r\n$2\r\né\r\n$1\r\n7\r\n');
});

t.test('no command is sent before the login is accepted, and none after it is refused', async (t) => {
  for (const [answer, refusal] of [
    ['+OK\r\n', undefined],
    ['-WRONGPASS invalid username-password pair or user is disabled.\r\n', /WRONGPASS/],
  ] as const) {
    const { address, received } = await serve(t, (socket) =>
      socket.once('data', () => {
        setImmediate(() => socket.write(answer));
        socket.once('data', () => socket.write(master));
      }),
    );
    const connection = open(t, address, { username: 'bridge', password: 'secret' });
    const reply = connection.send(['ROLE']);
    if (refusal === undefined) t.strictSame(await reply, ['master', 0, []]);
    else await t.rejects(reply, { name: 'ReplyError', message: refusal });
    const login = '*3\r\n$4\r\nAUTH\r\n$6\r\nbridge\r\n$6\r\nsecret\r\n';
    t.equal(received[0], `${login}${refusal === undefined ? '*1\r\n$4\r\nROLE\r\n' : ''}`);
  }
});

t.test('a command is not sent again over another connection', async (t) => {
  const { address, received } = await serve(t, (socket) => socket.once('data', () => socket.destroy()));
  const connection = open(t, address);
  await t.rejects(connection.send(['FAILOVER']), { name: 'ClosedError' });
  await once(connection, 'ready');
  t.strictSame(await connection.send(['ROLE']), ['master', 0, []]);
  t.strictSame(received, ['*1\r\n$8\r\nFAILOVER\r\n', '*1\r\n$4\r\nROLE\r\n']);
});

t.test('a connection that is given up ends, and its answers are ignored', async (t) => {
  const { address, sockets } = await serve(t, () => {});
  const connection = open(t, address);
  await once(connection, 'ready');
  const silent = connection.send(['ROLE']);
  const ended = once(connection, 'close');
  connection.reopen();
  await t.rejects(silent, { name: 'ClosedError' });
  t.strictSame(await ended, ['given up']);
  t.strictSame(await connection.send(['ROLE']), ['master', 0, []]);
  await waitFor('the end of the first', () => sockets[0]?.readableEnded);
  connection.close();
  await t.rejects(connection.send(['ROLE']), { name: 'ClosedError' });
  await waitFor('the end of the second', () => sockets[1]?.readableEnded);
  t.equal(connection.state, 'closed');
});

t.test('what is asked after a connection was given up is sent over the next one', async (t) => {
  const { address, received } = await serve(t, () => {});
  const connection = open(t, address);
  await once(connection, 'ready');
  const [lost, closed] = [connection.send(['ROLE']), once(connection, 'close')];
  connection.drop();
  const asked = connection.send(['ROLE']);
  t.equal(connection.state, 'waiting');
  t.strictSame(await closed, ['given up']);
  await t.rejects(lost, { name: 'ClosedError' });
  t.strictSame(await asked, ['master', 0, []]);
  t.equal(received.length, 2);
});

t.test('TLS settings that cannot be used are an error of the connection', async (t) => {
  const { address } = await serve(t, () => {});
  const tls = { cert: 'no certificate', key: 'no key', verify: true };
  const connection = new RespConnection(address, { tls }, new ReconnectPace());
  t.teardown(() => connection.close());
  const [error] = await once(connection, 'error');
  t.match(error, { code: /^ERR_OSSL/ });
});

t.test('a host that Node.js refuses is an error of the connection', async (t) => {
  const link = new RedisLink({ host: 'a\0b', port: 6379 }, {});
  t.teardown(() => link.close());
  t.match(await link.role({ timeoutMs: 5_000 }), { role: 'unreachable', error: /null bytes/ });
});
