import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { CrashCase, type CrashCaseParts } from '../../lib/crash/case.ts';
import type { CrashEnd, CrashSubject } from '../../lib/crash/subject.ts';
import { SwitchmasterError } from '../../lib/errors.ts';
import type { Address } from '../../lib/model/address.ts';
import { waitFor } from '../sandbox/condition.ts';

async function listen(port = 0): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => undefined).resume());
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** A master that is gone, and the world of the bridge that judges it. */
async function startCase(t: Test) {
  const server = await listen();
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  const master: Address = { host: '127.0.0.1', port };
  const world = {
    ...{ entered: 0, left: 0, reads: 0, infos: 0, forgotten: 0, claims: 0, refusals: 0 },
    isLoading: true,
    refusal: new SwitchmasterError('redis-refused', 'no suitable replica'),
    cancelled: [] as number[],
    answers: [] as number[],
    // The servers around it answer then.
    answered: Promise.resolve(),
  };
  const ends: CrashEnd<string>[] = [];
  const subject: CrashSubject<string> = {
    name: 'shard1',
    master,
    ways: [{ to: master, from: undefined }],
    runIds: ['before'],
    whyNot: () => undefined,
    readInfo: async () => {
      world.infos += 1;
      return `run_id:after\r\nrole:master\r\nloading:${world.isLoading ? 1 : 0}\r\naof_enabled:0\r\n`;
    },
    readOthers: async () => {
      world.reads += 1;
      const { forgotten } = world;
      await world.answered;
      return () => void world.answers.push(forgotten);
    },
    forgetOthers: () => {
      world.forgotten += 1;
      world.answers = [];
    },
    wouldLoseKeys: () => (world.answers.length === 0 ? undefined : true),
    decide: ({ sign, lastOrderAgeMs }) => {
      if (lastOrderAgeMs !== undefined) return { kind: 'refuse', why: 'an order was just given' };
      if (sign.kind === 'emptied' || world.refusals > 0) return { kind: 'order', target: 'replica' };
      return { kind: 'wait', why: 'nothing is certain' };
    },
    describe: () => ({}),
    order: async () => {
      if (world.refusals === 0) return;
      world.refusals -= 1;
      throw world.refusal;
    },
    followed: async () => undefined,
    report: (end) => ends.push(end),
  };
  const leave = async () => {
    world.left += 1;
  };
  const enter = async () => {
    world.entered += 1;
    return { kind: 'inside', leave } as const;
  };
  const evidence = {
    follow: () => () => undefined,
    publish: async () => undefined,
    withdraw: async () => undefined,
    bridges: () => [],
    lastOrder: async () => ({ ageMs: world.claims === 0 ? undefined : 5, index: world.claims }),
    claimOrder: async (_, { last }) => {
      world.claims += 1;
      return { before: last, index: world.claims };
    },
    cancelOrder: async (_, { index }) => void world.cancelled.push(index),
  } satisfies Partial<CrashCaseParts['evidence']> as unknown as CrashCaseParts['evidence'];
  const stop = new AbortController();
  const parts = { steering: { enter }, evidence, bridgeId: 'bridge', crashAfterMs: 60 };
  const judged = new CrashCase(subject, parts).pursue(stop.signal);
  judged.catch(() => undefined);
  t.teardown(() => stop.abort());
  return { port, world, ends, judged };
}

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
    t.match(ends, [{ target: undefined, why: 'not ordered' }], code);
    t.strictSame(world.cancelled, cancelled, `${code}: ${cause?.message}`);
  }
});
