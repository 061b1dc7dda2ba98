import { performance } from 'node:perf_hooks';
import { setTimeout as delay, setImmediate } from 'node:timers/promises';
import t from 'tap';
import { everyMs } from '../../lib/crash/pace.ts';
import { SwitchmasterError } from '../../lib/errors.ts';
import { longestPauseMs } from '../../lib/model/crash-proof.ts';
import { waitFor } from '../sandbox/condition.ts';
import { listen, startCase } from './case-world.ts';

t.test('a master that loads keeps neither the lease nor the questions, and is judged on new answers', async (t) => {
  const { port, world, ends, judged } = await startCase(t);
  await waitFor('the lease, and the questions', () => world.entered === 1 && world.reads > 0);
  const server = await listen(port);
  t.teardown(() => server.close());
  await waitFor('the lease to be left while it loads', () => world.left === 1);
  await waitFor('the questions to end', async () => {
    const before = world.reads;
    const { infos } = world;
    await waitFor('INFO', () => world.infos > infos + 3);
    return world.reads === before;
  });
  t.strictSame(ends, [], 'it is not judged yet');
  world.isLoading = false;
  t.equal(await judged, 'judged');
  t.match(ends, [{ target: 'replica', sign: { kind: 'emptied' } }]);
  t.equal(world.entered, 2, 'it took the lease again for the order');
  t.equal(world.left, 2);
  t.strictSame([...new Set(world.answers)], [2], 'nothing of before the load counts');
});

t.test('a master that comes back empty is judged at once, on the answers of before', async (t) => {
  const { port, world, ends, judged } = await startCase(t);
  world.isLoading = false;
  await waitFor('the lease, and an answer', () => world.entered === 1 && world.answers.length > 0);
  // A Sentinel that hangs.
  const { promise, resolve } = Promise.withResolvers<void>();
  world.answered = promise;
  const server = await listen(port);
  t.teardown(() => server.close());
  await waitFor('the order', () => ends.length > 0);
  t.match(ends, [{ target: 'replica', sign: { kind: 'emptied' } }]);
  t.equal(world.forgotten, 1, 'nothing is forgotten');
  t.equal(world.entered, 1, 'the lease was held all the time');
  resolve();
  t.equal(await judged, 'judged');
});

t.test('an answer of before a load that comes late does not count', async (t) => {
  const { port, world, judged } = await startCase(t);
  const [before, after] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  world.answered = before.promise;
  await waitFor('the questions', () => world.reads > 0);
  const server = await listen(port);
  t.teardown(() => server.close());
  await waitFor('the lease to be left while it loads', () => world.left === 1);
  world.answered = after.promise;
  world.isLoading = false;
  await waitFor('the questions after the load', () => world.reads > 1);
  before.resolve();
  await setImmediate();
  t.strictSame(world.answers, []);
  after.resolve();
  t.equal(await judged, 'judged');
  t.strictSame([...new Set(world.answers)], [2]);
});

t.test('a claim whose order was refused is no order for the next preparation', async (t) => {
  const { port, world, ends, judged } = await startCase(t);
  world.refusals = Number.POSITIVE_INFINITY;
  await waitFor('the claim', () => world.claims === 1);
  const server = await listen(port);
  t.teardown(() => server.close());
  await waitFor('the lease to be left while it loads', () => world.left === 1);
  world.refusals = 0;
  world.isLoading = false;
  t.equal(await judged, 'judged');
  t.match(ends, [{ target: 'replica', why: undefined, sign: { kind: 'emptied' } }]);
  t.equal(world.claims, 1, 'it is not claimed twice');
});

t.test('a claim ends with the case if maintenance began while Consul took it: nothing was ordered', async (t) => {
  const { world, ends, judged } = await startCase(t);
  world.onClaim = () => {
    const why = 'in maintenance';
    Object.assign(world, { whyNot: why, decision: { kind: 'refuse', end: 'maintenance', why } });
  };
  world.decision = { kind: 'order', target: 'replica' };
  t.equal(await judged, 'judged');
  t.match(ends, [{ kind: 'maintenance', target: undefined }]);
  t.strictSame(world.cancelled, [1]);
});

t.test('no order follows a claim for which Consul took so long that the master is back', async (t) => {
  const { port, world, ends, judged } = await startCase(t);
  world.onClaim = async () => {
    const server = await listen(port);
    t.teardown(() => server.close());
    Object.assign(world, { isLoading: false, keys: 'none' });
    await delay(2 * everyMs);
  };
  world.decision = { kind: 'order', target: 'replica' };
  t.equal(await judged, 'not-crashed');
  t.match(ends, [{ kind: 'back', target: undefined }]);
  t.equal(world.orders, 0);
  t.strictSame(world.cancelled, [1]);
});

t.test('an order follows such a claim if the master still refuses connections', async (t) => {
  const { world, ends, judged } = await startCase(t);
  world.onClaim = () => delay(2 * everyMs);
  world.decision = { kind: 'order', target: 'replica' };
  t.equal(await judged, 'judged');
  t.match(ends, [{ kind: 'ordered', target: 'replica' }]);
  t.match(world, { orders: 1, claims: 1, cancelled: [] });
});

t.test('an order follows a claim after which the proof had to begin again', async (t) => {
  const { world, ends, judged } = await startCase(t);
  let claimedMs = Number.POSITIVE_INFINITY;
  world.onClaim = async () => {
    await delay(longestPauseMs + everyMs);
    claimedMs = performance.now();
  };
  world.decision = { kind: 'order', target: 'replica' };
  t.equal(await judged, 'judged');
  t.match(ends, [{ kind: 'ordered', target: 'replica' }]);
  t.match(world, { orders: 1, claims: 1, cancelled: [] });
  const firstMs = ends.map(
    ({ sign }) => sign.kind === 'refused' && sign.connection.kind === 'refused' && sign.connection.firstMs,
  );
  t.ok(Number(firstMs[0]) > claimedMs, 'every refusal came after the claim');
});

t.test('an order follows such a claim also if the time to wait for others was over meanwhile', async (t) => {
  const { world, ends, judged } = await startCase(t, { waitMs: 0 });
  world.onClaim = () => delay(2 * everyMs);
  world.decision = { kind: 'order', target: 'replica' };
  t.equal(await judged, 'judged');
  t.match(ends, [{ kind: 'ordered', target: 'replica' }]);
  t.match(world, { orders: 1, claims: 1, cancelled: [] });
});

t.test('maintenance that begins during the last claim is the reason', async (t) => {
  const { world, ends, judged } = await startCase(t, { waitMs: 0 });
  world.onClaim = () => {
    world.whyNot = 'in maintenance';
  };
  world.decision = { kind: 'order', target: 'replica' };
  t.equal(await judged, 'judged');
  t.match(ends, [{ kind: 'maintenance', why: 'in maintenance', target: undefined }]);
  t.match(world, { orders: 0, cancelled: [1] });
});

t.test('a claim ends with the case if the order was refused, and stays if it may have been carried out', async (t) => {
  const reply = Object.assign(new Error('NOPERM'), { name: 'ReplyError' });
  for (const [code, cause, cancelled] of [
    ['redis-denied', reply, [1]],
    // The connection was lost, and the server refuses another one.
    ['redis-denied', new Error('Connection is closed.'), []],
    ['redis-unreachable', undefined, []],
  ] as const) {
    const { world, ends, judged } = await startCase(t);
    world.refusal = new SwitchmasterError(code, 'not ordered', { cause });
    world.refusals = Number.POSITIVE_INFINITY;
    t.equal(await judged, 'judged');
    const kind = cancelled.length > 0 ? 'right-missing' : 'unanswered';
    t.match(ends, [{ kind, target: undefined, why: 'not ordered' }], code);
    t.strictSame(world.cancelled, cancelled, `${code}: ${cause?.message}`);
  }
});
