import t from 'tap';
import { obstacleWaitMs, restAfter, restAfterReadingMs } from '../../lib/crash/pace.ts';
import { type ConnectionState, traceConnection } from '../../lib/model/crash-proof.ts';

const crashAfterMs = 60;

/** The state after refusals at these times. */
function refusedAt(...timesMs: readonly number[]): ConnectionState {
  return timesMs.reduce<ConnectionState>((state, atMs) => traceConnection(state, { kind: 'refused', atMs }), {
    kind: 'closed',
    closedMs: 0,
  });
}

/** How long after the last refusal another attempt is made, by the times of the refusals. */
const rests: readonly (readonly [timesMs: readonly number[], restMs: number])[] = [
  [[0], 20],
  [[0, 20], 20],
  // The attempt that may complete the proof: 60 ms after the first refusal, and a millisecond for the timer.
  [[0, 20, 40], 21],
  [[0, 21, 43], 18],
  [[0, 19, 38], 23],
  [[0, 27, 55], 6],
  [[0, 19, 38, 57], 4],
  [[0, 20, 40, 59.5], 2],
  // Two refusals are too few, however long ago the first one was.
  [[0, 55], 20],
  [[0, 70], 20],
  // It is still far away.
  [[0, 10, 25], 20],
];
for (const [timesMs, restMs] of rests) {
  t.test(`after refusals at ${timesMs.join(', ')} ms, the next attempt is ${restMs} ms later`, async (t) => {
    const nowMs = timesMs.at(-1) ?? 0;
    const proof = { connection: refusedAt(...timesMs), crashAfterMs, isComplete: false };
    t.strictSame(restAfter(proof, { triedMs: nowMs, nowMs }), { leastMs: restMs, mostMs: restMs });
  });
}

t.test('after the proof, the attempts come at the usual distance, and sooner if something was learned', async (t) => {
  const proof = { connection: refusedAt(0, 20, 40, 61), crashAfterMs, isComplete: true };
  t.strictSame(restAfter(proof, { triedMs: 61, nowMs: 62 }), { leastMs: 2, mostMs: 19 });
  t.strictSame(restAfter(proof, { triedMs: 61, nowMs: 100 }), { leastMs: 2, mostMs: 2 });
});

t.test('the time of an attempt counts as part of the rest', async (t) => {
  const proof = { connection: refusedAt(0, 20), crashAfterMs, isComplete: false };
  t.strictSame(restAfter(proof, { triedMs: 20, nowMs: 28 }), { leastMs: 12, mostMs: 12 });
  t.strictSame(restAfter(proof, { triedMs: 20, nowMs: 90 }), { leastMs: 2, mostMs: 2 });
});

t.test(
  'what contradicts a crash is waited for shortly while others wait, and the own attempts to connect are not',
  async (t) => {
    const cases = [
      ['contradicted', { waitMs: 3_000, isWaitedFor: false }, 3_000],
      ['contradicted', { waitMs: 3_000, isWaitedFor: true }, 1_000],
      ['contradicted', { waitMs: 1_000, isWaitedFor: false }, 1_000],
      [undefined, { waitMs: 3_000, isWaitedFor: true }, 1_000],
      ['unclear', { waitMs: 3_000, isWaitedFor: false }, 3_000],
      ['unclear', { waitMs: 3_000, isWaitedFor: true }, 3_000],
      ['unclear', { waitMs: 1_000, isWaitedFor: true }, 3_000],
    ] as const;
    for (const [obstacle, given, ms] of cases)
      t.equal(obstacleWaitMs(obstacle, given), ms, JSON.stringify([obstacle, given]));
  },
);

t.test('servers that answer late are asked less often, and soon also beside one that hangs', async (t) => {
  t.strictSame([1, 20, 200, 1_000].map(restAfterReadingMs), [20, 20, 200, 250]);
});
