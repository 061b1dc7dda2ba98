import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { InstanceLink } from '../../lib/client/instance.ts';
import { RedisLink } from '../../lib/client/redis.ts';
import type { Address } from '../../lib/model/address.ts';
import { waitFor } from '../sandbox/condition.ts';

const timeoutMs = 1_000;

/** A Redis without room for a client: it answers an error and closes each connection. Times are of the connections. */
async function startFull(t: Test): Promise<{ readonly address: Address; readonly connectedMs: readonly number[] }> {
  const connectedMs: number[] = [];
  const server = createServer((socket) => {
    connectedMs.push(performance.now());
    socket.on('error', () => undefined);
    socket.end('-ERR max number of clients reached\r\n');
  }).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const bound = server.address();
  return { address: { host: '127.0.0.1', port: typeof bound === 'object' ? (bound?.port ?? 0) : 0 }, connectedMs };
}

/** Six connections to a server that is asked whenever it is free. Without jitter, the pauses after the third sum up to 1.4 s. */
async function takesTime(t: Test, connectedMs: readonly number[], ask: () => Promise<unknown>): Promise<void> {
  await waitFor('six connections', async () => {
    await ask();
    return connectedMs.length >= 6;
  });
  const [third = 0, sixth = 0] = [connectedMs[2], connectedMs[5]];
  t.ok(sixth - third > 300, `three connections within ${sixth - third} ms`);
}

t.test('a link to a server that closes each connection connects with growing pauses', async (t) => {
  const { address, connectedMs } = await startFull(t);
  const link = new RedisLink(address, {});
  t.teardown(() => link.close());
  await takesTime(t, connectedMs, async () => {
    t.match(await link.role({ timeoutMs }), { role: 'unreachable' });
  });
  t.match(link.refusal, /reached maxclients/);
});

t.test(
  'a link to an instance connects with growing pauses too, although it is probed whenever its state changes',
  async (t) => {
    const { address, connectedMs } = await startFull(t);
    let error: unknown;
    const probe = async () => {
      await link.request([['ROLE']], { timeoutMs }).then(
        ([reply]) => {
          error = reply;
        },
        (thrown: unknown) => {
          error = thrown;
        },
      );
    };
    const link: InstanceLink = new InstanceLink({ address, access: {}, onLinkState: () => void probe() });
    t.teardown(() => link.close());
    await takesTime(t, connectedMs, probe);
    t.match(error, { message: /max number of clients|reached maxclients/ });
  },
);

t.test('a server that hangs is asked again each time, and not taken for one that closes each connection', async (t) => {
  const open = new Set<Socket>();
  const server = createServer((socket) => open.add(socket.on('error', () => undefined))).listen(0, '127.0.0.1');
  t.teardown(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  await once(server, 'listening');
  const bound = server.address();
  const address = { host: '127.0.0.1', port: typeof bound === 'object' ? (bound?.port ?? 0) : 0 };
  const link: InstanceLink = new InstanceLink({ address, access: {}, onLinkState: () => undefined });
  t.teardown(() => link.close());
  for (let n = 1; n <= 6; n += 1)
    await t.rejects(link.request([['INFO']], { timeoutMs: 50 }), { code: 'redis-timeout' });
  t.ok(open.size >= 6, 'over another connection');
});
