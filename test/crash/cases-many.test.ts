import { once } from 'node:events';
import { createServer } from 'node:net';
import t from 'tap';
import { waitFor } from '../sandbox/condition.ts';
import { openCases } from './cases-world.ts';

const masters = Array.from({ length: 100 }, (_, i) => `m${i}`);
/** As many failovers as a thousand masters may have under way. */
const failovers = 64;
/** As many as are judged at once. */
const places = 16;

t.test('of a hundred crashes a few are judged at once, in their order, until each failover is settled', async (t) => {
  const { world, cases, master } = await openCases(t, () => ({ kind: 'order', target: 'replica' }));
  world.settlesMs = 20;
  for (const note of masters) cases.close(note, () => ({ master, note }));
  await waitFor('all orders', () => world.judged.length === masters.length);
  t.ok(world.mostJudging <= places, `${world.mostJudging} at once`);
  t.ok(world.mostJudging > 1, 'side by side');
  t.ok(world.mostUnderWay <= failovers, `${world.mostUnderWay} failovers`);
  const late = masters.filter((note, i) => world.judged.indexOf(note) > i + 2 * places);
  t.strictSame(late, [], 'none is passed by many others');
});

t.test('the more masters the Sentinels have, the fewer failovers are under way', async (t) => {
  for (const [count, settlesMs, least, most] of [
    [100_000, 100, 1, 4],
    [100, 3_000, 20, 20],
  ] as const) {
    const { world, cases, master } = await openCases(t, () => ({ kind: 'order', target: 'replica' }));
    Object.assign(world, { masters: count, settlesMs });
    const crashed = masters.slice(0, count === 100 ? 20 : 3);
    const startedMs = performance.now();
    for (const note of crashed) cases.close(note, () => ({ master, note }));
    await waitFor('all orders', () => world.judged.length === crashed.length, { timeoutMs: 30_000 });
    t.ok(world.mostUnderWay >= least && world.mostUnderWay <= most, `${world.mostUnderWay} of ${count}`);
    // A Sentinel with 100,000 masters needs seconds to write its config file.
    if (count === 100_000) t.ok(performance.now() - startedMs > 4_900, 'they do not begin together');
  }
});

t.test('a crash that another bridge sees goes before others', async (t) => {
  const { world, cases, master } = await openCases(t, () => ({ kind: 'order', target: 'replica' }));
  world.settlesMs = 20;
  world.isSeenElsewhere = (name) => name === 'm99';
  for (const note of masters) cases.close(note, () => ({ master, note }));
  await waitFor('its order', () => world.judged.includes('m99'));
  t.ok(world.judged.length <= 2 * places, `after ${world.judged.length} others`);
});

t.test('crashes that somebody contradicts do not keep the others for long', async (t) => {
  const { world, cases, master } = await openCases(t, (name) =>
    name === 'm99' ? { kind: 'order', target: 'replica' } : { kind: 'wait', end: 'contradicted', why: 'not yet' },
  );
  const startedMs = performance.now();
  const contradicted = masters.slice(0, 2 * places);
  for (const note of [...contradicted, 'm99']) cases.close(note, () => ({ master, note }));
  await waitFor('the order', () => world.judged.includes('m99'), { timeoutMs: 20_000 });
  const tookMs = performance.now() - startedMs;
  t.ok(tookMs < 5_000, `after ${tookMs} ms: two of their pauses, of one second each`);
});

t.test('masters that only closed a connection do not wait, and keep nobody waiting', async (t) => {
  const { world, cases, master } = await openCases(t, () => ({ kind: 'order', target: 'replica' }));
  world.masters = 100_000;
  const server = createServer((socket) => socket.on('error', () => undefined).resume()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as { port: number };
  world.info = 'run_id:before\r\nrole:master\r\n';
  for (const note of masters.slice(1)) cases.close(note, () => ({ master: { host: '127.0.0.1', port }, note }));
  cases.close('m0', () => ({ master, note: 'm0' }));
  const startedMs = performance.now();
  await waitFor('the order', () => world.judged.includes('m0'));
  await waitFor('the end of the others', () => cases.keys.length <= 1);
  t.ok(performance.now() - startedMs < 2_500, 'before the next failover could begin');
});
