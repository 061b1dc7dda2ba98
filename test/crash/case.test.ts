import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { CrashCase } from '../../lib/crash/case.ts';
import type { CrashCaseParts } from '../../lib/crash/case-options.ts';
import type { CrashEnd, CrashSubject } from '../../lib/crash/subject.ts';
import { SwitchmasterError } from '../../lib/errors.ts';
import type { Address } from '../../lib/model/address.ts';
import type { CrashDecision } from '../../lib/model/crash.ts';
import { waitFor } from '../sandbox/condition.ts';

async function listen(port = 0): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => undefined).resume());
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** A master that is gone, and the world of the bridge that judges it. */
async function startCase(t: Test, { crashAfterMs = 60 } = {}) {
  const server = await listen();
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  const master: Address = { host: '127.0.0.1', port };
  const world = {
    ...{ entered: 0, left: 0, reads: 0, infos: 0, forgotten: 0, claims: 0, refusals: 0, decisions: 0, losses: 0 },
    isLoading: true,
    decision: { kind: 'wait', end: 'contradicted', why: 'nothing is certain' } as CrashDecision<string>,
    /** Of a master that came back without its keys. */
    emptied: { kind: 'order', target: 'replica' } as CrashDecision<string>,
    orderedBy: undefined as string | undefined,
    keys: 'more' as 'more' | 'none',
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
    wouldLoseKeys: () => (world.answers.length === 0 ? undefined : world.keys === 'more'),
    decide: ({ sign, lastOrderAgeMs }) => {
      if (lastOrderAgeMs !== undefined) return { kind: 'refuse', end: 'too-soon', why: 'an order was just given' };
      world[sign.kind === 'emptied' ? 'losses' : 'decisions'] += 1;
      if (sign.kind === 'emptied') return world.emptied;
      if (world.refusals > 0) return { kind: 'order', target: 'replica' };
      return world.decision;
    },
    describe: () => ({}),
    order: async () => {
      if (world.refusals === 0) return;
      world.refusals -= 1;
      throw world.refusal;
    },
    followed: async () => undefined,
    report: () => undefined,
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
    lastOrder: async () => ({ ageMs: world.claims === 0 ? undefined : 5, index: world.claims, by: undefined }),
    orderedElsewhere: async () => world.orderedBy,
    claimOrder: async (_, { last }) => {
      world.claims += 1;
      return { before: last, index: world.claims };
    },
    cancelOrder: async (_, { index }) => void world.cancelled.push(index),
  } satisfies Partial<CrashCaseParts['evidence']> as unknown as CrashCaseParts['evidence'];
  const stop = new AbortController();
  const parts = { steering: { enter }, evidence, bridgeId: 'bridge', crashAfterMs };
  const run = { waitMs: 3_000, orderBefore: 0, onEnd: (end: CrashEnd<string>) => ends.push(end) };
  const judged = new CrashCase(subject, parts, run).pursue(stop.signal);
  judged.catch(() => undefined);
  t.teardown(() => stop.abort());
  return { port, world, ends, judged, stop };
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
    const kind = cancelled.length > 0 ? 'right-missing' : 'unanswered';
    t.match(ends, [{ kind, target: undefined, why: 'not ordered' }], code);
    t.strictSame(world.cancelled, cancelled, `${code}: ${cause?.message}`);
  }
});

/** Every end of a proven crash without an order: what this bridge decides, what happens meanwhile, and the end. */
type World = Awaited<ReturnType<typeof startCase>>;
const ends: Readonly<
  Record<string, readonly [CrashDecision<string>, meanwhile: (world: World) => unknown, Partial<CrashEnd<string>>]>
> = {
  'the Sentinels fail over by themselves': [
    { kind: 'leave', why: 'Sentinel s fails over by itself' },
    () => {},
    { kind: 'others-act', why: 'Sentinel s fails over by itself' },
  ],
  'another bridge has ordered it, which looks like a failover of the Sentinels': [
    { kind: 'leave', why: 'Sentinel s fails over by itself' },
    ({ world }) => Object.assign(world, { orderedBy: 'b' }),
    { kind: 'ordered-elsewhere', why: 'the bridge b has ordered it' },
  ],
  maintenance: [
    { kind: 'refuse', end: 'maintenance', why: 'in maintenance' },
    () => {},
    { kind: 'maintenance', why: 'in maintenance' },
  ],
  'the last failover was just now': [
    { kind: 'refuse', end: 'too-soon', why: 'just now', forMs: 5_000 },
    () => {},
    { kind: 'too-soon', why: 'just now', forMs: 5_000 },
  ],
  'somebody contradicts for too long': [
    { kind: 'wait', end: 'contradicted', why: 'Sentinel s is connected' },
    () => {},
    { kind: 'contradicted', why: 'Sentinel s is connected' },
  ],
  'no replica may be promoted': [
    { kind: 'wait', end: 'no-replica', why: 'no replica' },
    () => {},
    { kind: 'no-replica', why: 'no replica' },
  ],
  'a process accepts connections again': [
    { kind: 'wait', end: 'contradicted', why: 'not yet' },
    async ({ port, world }) => {
      Object.assign(world, { isLoading: false, keys: 'none' });
      return listen(port);
    },
    { kind: 'back', why: 'a process accepts connections again' },
  ],
  'the daemon stops': [
    { kind: 'wait', end: 'contradicted', why: 'not yet' },
    ({ stop }) => stop.abort(),
    { kind: 'stopped', why: 'the daemon stops, or reads its config again' },
  ],
};
for (const [when, [decision, meanwhile, end]] of Object.entries(ends)) {
  t.test(`a proven crash leaves one end with its evidence: ${when}`, async (t) => {
    const started = await startCase(t);
    const { world, ends, judged } = started;
    // The proof, and a decision of which nothing follows yet.
    await waitFor('a decision', () => world.decisions > 0);
    world.decision = decision;
    const server = await meanwhile(started);
    if (server !== undefined && server !== world) t.teardown(() => (server as Server).close());
    await judged.catch(() => undefined);
    t.equal(ends.length, 1);
    t.match(ends[0], { ...end, target: undefined, sign: { kind: 'refused' }, provenMs: Number });
  });
}

t.test('what was not proven leaves nothing', async (t) => {
  const { port, world, ends, judged } = await startCase(t, { crashAfterMs: 5_000 });
  await waitFor('a question', () => world.reads > 0);
  Object.assign(world, { isLoading: false, keys: 'none' });
  const server = await listen(port);
  t.teardown(() => server.close());
  t.equal(await judged, 'not-crashed');
  t.strictSame(ends, []);
});

t.test('a master that came back empty, and whose replicas have copied that meanwhile, leaves an end', async (t) => {
  const { port, world, ends, judged } = await startCase(t);
  world.emptied = { kind: 'wait', end: 'others-may-act', why: 'an election may be under way' };
  world.isLoading = false;
  await waitFor('an answer', () => world.answers.length > 0);
  const server = await listen(port);
  t.teardown(() => server.close());
  await waitFor('a decision about the loss', () => world.losses > 0);
  world.keys = 'none';
  t.equal(await judged, 'judged');
  const why = 'its replicas have copied its data';
  t.match(ends, [{ kind: 'no-replica', why, sign: { kind: 'emptied' }, target: undefined }]);
});
