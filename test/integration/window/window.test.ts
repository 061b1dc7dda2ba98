import t from 'tap';
import { describeCase, describeFault, drawCase, faults, type WindowCase } from './cases.ts';
import { knownEditions, type Round, runCases } from './lanes.ts';

// A sample, the same in each run. Hundreds of rounds, which the time of day draws: npm run test:window.
const usual = {
  edition: 'redis',
  replicas: 1,
  delayMs: 0,
  lastsMs: 1_000,
  manner: 'drop',
  direction: 'both',
  bridges: 1,
  isolatedFor: 'servers',
  oldMaster: 'back last',
  place: 'apart',
  onCrash: 'wait',
} as const;
const always: readonly WindowCase[] = [
  { ...usual, moment: '+selected-slave', fault: { kind: 'cut', who: 'bridge', from: 'old master' }, begin: 'ordered' },
  // The announcement of the others must not wait for the leader, which does not answer.
  {
    ...usual,
    moment: '+try-failover',
    fault: { kind: 'cut', who: 'bridge', from: 'leader' },
    begin: 'kill -9',
    lastsMs: 3_000,
    direction: 'there',
    bridges: 2,
    oldMaster: 'back at once',
  },
];

// One of those that are quick: a leader that was stopped is in TILT for thirty seconds, and Raft needs servers of its own.
const seed = 42;
const among = faults.filter((fault) => !/^(leader paused|Consul leader)/.test(describeFault(fault)));
const drawn = drawCase({ seed, number: seed % among.length, editions: knownEditions(), among });

t.test('a fault in the window of a failover', async (t) => {
  const orders = [...always, drawn].map((window, number) => ({ number, window }));
  const onRound = ({ window, result }: Round) =>
    t.test(describeCase(window), async (t) => {
      t.strictSame(result.problems, []);
      t.equal(result.lostThatSentinelKeeps, 0, 'no write is lost that plain Sentinel would have kept');
      if (!t.passing()) t.comment(result.story);
    });
  await runCases(orders, { sideBySide: 3, onRound });
});
