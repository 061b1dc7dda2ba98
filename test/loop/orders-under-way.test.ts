import t from 'tap';
import { OrdersUnderWay } from '../../lib/loop/orders-under-way.ts';

t.test('a stop ends at once what waits, and waits for what has begun', async (t) => {
  const orders = new OrdersUnderWay();
  const { promise: finished, resolve: finish } = Promise.withResolvers<string>();
  const result = orders.carryOut(() => finished);
  const stopped = orders.stop({ graceMs: 60_000 });
  t.ok(orders.ends.waiting.aborted);
  t.notOk(orders.ends.all.aborted);
  finish('done');
  t.equal(await result, 'done');
  await stopped;
  t.notOk(orders.ends.all.aborted);
});

t.test('what takes too long is ended, and the stop waits until it has undone what it could', async (t) => {
  const orders = new OrdersUnderWay();
  const { promise, reject } = Promise.withResolvers<never>();
  orders.ends.all.addEventListener('abort', () => reject(new Error('ended')));
  const failed = t.rejects(
    orders.carryOut(() => promise),
    { message: 'ended' },
  );
  await orders.stop({ graceMs: 1 });
  await failed;
});

t.test('a stop does not wait for ever for an order that does not end', { timeout: 20_000 }, async (t) => {
  const orders = new OrdersUnderWay();
  const { promise, resolve } = Promise.withResolvers<void>();
  const carried = orders.carryOut(() => promise);
  await orders.stop({ graceMs: 1 });
  t.ok(orders.ends.all.aborted);
  resolve();
  await carried;
});

t.test('without an order a stop takes no time', async () => {
  await new OrdersUnderWay().stop({ graceMs: 600_000 });
});
