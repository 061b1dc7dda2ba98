import t from 'tap';
import { readHolding, slopeOf } from '../../bench/growth/slope.ts';
import { openMastersWorld } from '../../bench/growth/world.ts';
import { Sandbox } from '../sandbox/sandbox.ts';

// A busy machine takes its time.
t.setTimeout(420_000);
const [few, many] = [5, 25];

/** The most that a further master with one replica may add. `npm run bench -- growth` measures more of this, up to 1,000 masters. */
const limits = {
  descriptors: 2.2,
  redisConnections: 2.1,
  sentinelConnections: 0,
  consulConnections: 0.3,
  // The look for its external node, and its transaction. Few are repeated, as many as the machine's pace decides; one more for
  // each master is too many.
  startRequests: 2.9,
  // Each of eight watches is answered once a transaction at most.
  startWatchedReads: 8,
  heapBytes: 150_000,
  redisCommands: 0.6,
  sentinelCommands: 0.45,
  wakeUps: 0.8,
};
/** A second, with any of the two numbers of masters. Each timer that a library starts counts here. */
const mostWakeUps = 40;

t.test('a further master adds a few connections, requests and commands, and little memory', async (t) => {
  const sandbox = await Sandbox.openFor(t, { name: 'growth' });
  const world = await openMastersWorld(sandbox, { masters: many, realMasters: 0 });
  const small = await readHolding(sandbox, world, few);
  const large = await readHolding(sandbox, world, many);
  t.comment(JSON.stringify({ small, large }));
  for (const { masters, wakeUps, redisCommands, sentinelCommands } of [small, large]) {
    t.ok(wakeUps <= mostWakeUps, `${wakeUps} wake-ups a second with ${masters} masters, at most ${mostWakeUps}`);
    t.ok(redisCommands > 0 && sentinelCommands > 0, 'the metrics count the questions of full runs');
  }
  const slope = slopeOf(small, large);
  for (const [name, limit] of Object.entries(limits)) {
    const found = slope[name as keyof typeof slope];
    t.ok(found <= limit, `${name}: ${found} a master, at most ${limit}`);
  }
});
