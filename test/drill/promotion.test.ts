import { createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { firstAfter, PromotionWatch } from '../../lib/drill/promotion.ts';

/** A server that says that it is a replica until it is promoted, and takes every write. */
async function startReplica(t: Test) {
  let isMaster = false;
  const sockets = new Set<Socket>();
  const replica = '*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:1\r\n$9\r\nconnected\r\n:0\r\n';
  const master = '*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n';
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (data) => {
      for (const [, name] of data.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)\r\n/g)) {
        const isRole = name?.toUpperCase() === 'ROLE';
        socket.write(isRole ? (isMaster ? master : replica) : ':1\r\n');
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as { port: number };
  return {
    address: { host: '127.0.0.1', port },
    promote: () => {
      isMaster = true;
    },
  };
}

t.test('events before the promotion are no effects of it, and events after it may be', async (t) => {
  const [one, two] = await Promise.all([startReplica(t), startReplica(t)]);
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  const options = { access: {}, key: 'k', mark: 'm', signal: stop.signal };
  const watch = new PromotionWatch([one.address, two.address], options);
  const earlyMs = performance.now();
  t.equal(await watch.precedes(earlyMs), false, 'both are replicas later than that');
  await delay(20);
  const promotedMs = performance.now();
  two.promote();
  t.equal(await watch.precedes(performance.now()), true);
  const { value, atMs, notBeforeMs } = await watch.written;
  t.equal(value, 'm:direct');
  t.ok(notBeforeMs > earlyMs && notBeforeMs <= atMs);
  t.ok(atMs >= promotedMs);
  t.equal(await watch.precedes(earlyMs), false);
});

t.test('the first write after the promotion is not one that the old master acknowledged', async (t) => {
  const accepted = [1, 21, 240, 251, 260].map((atMs) => ({ value: `m:${atMs}`, atMs }));
  t.match(firstAfter(accepted, { notBeforeMs: 245 }), { atMs: 251 });
  t.equal(firstAfter(accepted, { notBeforeMs: 300 }), undefined);
  t.equal(firstAfter(accepted, undefined), undefined);
});
