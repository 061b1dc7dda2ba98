import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { Access } from '../../../lib/endpoint/access.ts';
import { makeView } from '../../../lib/endpoint/plan/view.ts';
import type { Address } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { RespConnection } from '../../sandbox/resp.ts';
import { makeRecord } from '../../template/world.ts';
import { serveView } from '../support/serving-endpoint.ts';

/* Clients that read or write slowly, or too much. 1,000 masters: the answer to SENTINEL MASTERS has some 600 KiB. */
const records = Array.from({ length: 1_000 }, (_, i) => makeRecord({ name: `shard${i}` }));
const own = { id: '0'.repeat(40), environment: '', transport: 'tcp' } as const;
const naming = { environment: undefined };
const view = makeView({ records, masters: [], replicas: [], endpoints: [] }, { naming, own, nowMs: 0 });

async function open(t: Pick<Test, 'teardown'>, { host, port }: Address): Promise<Socket> {
  const socket = connect({ host, port });
  socket.on('error', () => {});
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

function textOf(socket: Socket): () => string {
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  return () => text;
}

t.test(
  '10,000 commands in one write get their answers in order, and other clients are answered meanwhile',
  async (t) => {
    const { server, address } = await serveView(t, { view });
    const socket = await open(t, address);
    const text = textOf(socket);
    const other = await RespConnection.open(address, { timeoutMs: 20_000 });
    t.teardown(() => other.close());
    const numbers = Array.from({ length: 10_000 }, (_, i) => i);
    socket.write(numbers.map((n) => `PING ${n}\r\n`).join(''));
    await waitFor('the first answers', () => server.facts.commands > 0);
    t.equal(await other.command('PING'), 'PONG');
    t.ok(server.facts.commands < 10_000, 'before all of the others');
    const expected = numbers.map((n) => `$${String(n).length}\r\n${n}\r\n`).join('');
    await waitFor('all answers', () => text().length >= expected.length);
    t.ok(text() === expected);
  },
);

t.test('a client that does not read its answers is not read from', async (t) => {
  const { server, address } = await serveView(t, { view });
  const socket = await open(t, address);
  socket.pause();
  socket.write('SENTINEL MASTERS\r\n'.repeat(10_000));
  const other = await RespConnection.open(address, { timeoutMs: 20_000 });
  t.teardown(() => other.close());
  await waitFor('the first answers', () => server.facts.commands > 0);
  for (let n = 0; n < 100; n += 1) await other.command('PING');
  // The kernel takes some MiB on the way.
  t.ok(server.facts.commands < 300, `${server.facts.commands} commands`);
});

t.test('a subscriber that does not read is dropped, and the others get every message', async (t) => {
  const { server, drops, address } = await serveView(t, { view });
  const [slow, quick] = [await open(t, address), await open(t, address)];
  const text = textOf(quick);
  for (const socket of [slow, quick]) socket.write('SUBSCRIBE news\r\n');
  await waitFor('both to be subscribed', () => server.facts.subscribers, { until: (count) => count === 2 });
  slow.pause();
  const payload = 'x'.repeat(64 * 1024);
  let published = 0;
  const publish = (): boolean => {
    // The quick one reads: it must not wait for more than a subscriber may.
    if (text().length > published * payload.length) {
      server.publish([{ channel: 'news', payload }]);
      published += 1;
    }
    return drops.length > 0;
  };
  await waitFor('the slow one to be dropped', publish, { intervalMs: 1 });
  t.strictSame(drops, ['it does not read its messages']);
  await waitFor('every message', () => text().length > published * payload.length);
  await waitFor('its connection to end', () => server.facts.connections, { until: (count) => count === 1 });
});

t.test('a command that never ends is ended after a time, although bytes arrive', async (t) => {
  const { drops, address } = await serveView(t, { view, over: { commandMs: 500 } });
  const socket = await open(t, address);
  const closed = once(socket, 'close');
  socket.resume();
  const drip = setInterval(() => socket.write('x'), 50);
  t.teardown(() => clearInterval(drip));
  await closed;
  // A machine that stops before the first byte arrives ends the connection for that alone.
  t.strictSame(
    [...new Set(drops)].filter((why) => why !== 'its command does not end'),
    [],
  );
});

t.test('the arguments of one command have a limit together', async (t) => {
  const { server, drops, address } = await serveView(t, { view });
  const socket = await open(t, address);
  const text = textOf(socket);
  const closed = once(socket, 'close');
  const argument = `$65536\r\n${'x'.repeat(65_536)}\r\n`;
  socket.write(`*1000\r\n${argument.repeat(20)}`);
  await closed;
  t.match(text(), /^-ERR Protocol error: too big command/);
  t.strictSame([server.facts.commands, drops], [0, ['too big command']]);
});

t.test('a client that guesses passwords is dropped after ten', async (t) => {
  const reader = { username: 'default', password: 'right' };
  const { drops, address } = await serveView(t, { view, access: new Access({ reader }) });
  const socket = await open(t, address);
  const text = textOf(socket);
  const closed = once(socket, 'close');
  socket.write('AUTH wrong\r\n'.repeat(50));
  await closed;
  t.equal(text().split('WRONGPASS').length - 1, 10);
  t.strictSame(drops, ['it sends wrong passwords']);
});
