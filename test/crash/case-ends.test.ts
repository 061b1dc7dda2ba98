import type { Server } from 'node:net';
import t from 'tap';
import type { CrashEnd } from '../../lib/crash/subject.ts';
import type { CrashDecision } from '../../lib/model/crash.ts';
import { waitFor } from '../sandbox/condition.ts';
import { listen, startCase } from './case-world.ts';

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
  'the last failover was the order of another bridge': [
    { kind: 'refuse', end: 'too-soon', why: 'just now', forMs: 5_000 },
    ({ world }) => Object.assign(world, { orderedBy: 'b' }),
    { kind: 'ordered-elsewhere', why: 'the bridge b has ordered it', forMs: 5_000 },
  ],
  'another bridge had ordered it, which has nothing to do with what is in the way now': [
    { kind: 'wait', end: 'no-majority', why: 'no majority' },
    ({ world }) => Object.assign(world, { orderedBy: 'b' }),
    { kind: 'no-majority', why: 'no majority' },
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

t.test('a lease that another bridge holds looks like its order, one that nobody holds does not', async (t) => {
  for (const [lease, decision, kind] of [
    ['full', { kind: 'order', target: 'replica' }, 'ordered-elsewhere'],
    ['inside', { kind: 'wait', end: 'consul', why: 'Consul lists no bridge' }, 'consul'],
  ] as const) {
    const { world, ends, judged } = await startCase(t, { waitMs: 300 });
    Object.assign(world, { lease, decision, orderedBy: 'b' });
    await judged;
    t.match(ends, [{ kind }], lease);
  }
});

t.test('a bridge whose order another one forestalls names it, unless that one has cancelled its order', async (t) => {
  for (const [orderedBy, why] of [
    ['b', 'the bridge b has ordered it'],
    [undefined, 'another bridge has noted an order'],
  ] as const) {
    const { world, ends, judged } = await startCase(t);
    Object.assign(world, { isClaimLost: true, decision: { kind: 'order', target: 'replica' }, orderedBy });
    await judged;
    t.match(ends, [{ kind: 'ordered-elsewhere', why, target: undefined }]);
  }
});

t.test('a bridge that orders nothing withdraws its evidence before it asks who ordered', async (t) => {
  const { world, judged } = await startCase(t);
  world.decision = { kind: 'leave', why: 'Sentinel s fails over by itself' };
  await judged;
  t.strictSame(world.steps, ['withdraw', 'read the order']);
});

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
