import t from 'tap';
import { judgeOrders } from './judgement.ts';
import { type Attempt, SilenceRecord, type Silences } from './silence.ts';

const crashAfterMs = 60;

/** What attempts every 4 ms show, that last 1 ms each, from 0 to 1,000 ms. No attempt where the answer is undefined. */
function probe(answerAt: (ms: number) => Attempt['answer'] | undefined): Silences {
  const record = new SilenceRecord(0);
  for (let ms = 0; ms < 1_000; ms += 4) {
    const answer = answerAt(ms);
    if (answer !== undefined) record.add({ beganMs: ms, endedMs: ms + 1, answer });
  }
  return record.end(1_000);
}

const isIn = (ms: number, from: number, to: number) => ms >= from && ms < to;
const refusedIn = (from: number, to: number) => probe((ms) => (isIn(ms, from, to) ? 'refused' : 'accepted'));

/** An order that took 10 ms since its proof. */
const order = (provenAtMs: number, { tookMs = 10, kind = 'refused' } = {}) => ({
  atMs: provenAtMs + tookMs,
  details: { sign: { kind }, stages: { provenMs: 65, orderedMs: 65 + tookMs } },
});
const judge = (silences: Silences | undefined, ...orders: ReturnType<typeof order>[]) =>
  judgeOrders(orders, { silences, crashAfterMs });

t.test('a silence is certain between its refusals, and possible between the attempts that were accepted', async (t) => {
  t.strictSame(refusedIn(400, 480), {
    certain: [{ fromMs: 401, toMs: 476 }],
    possible: [{ fromMs: 396, toMs: 481 }],
  });
  t.strictSame(
    probe(() => 'accepted'),
    { certain: [], possible: [] },
  );
});

t.test('a prober that stands still has seen nothing meanwhile', async (t) => {
  const blind = probe((ms) => (isIn(ms, 400, 500) ? undefined : 'accepted'));
  t.strictSame(blind, { certain: [], possible: [{ fromMs: 396, toMs: 501 }] });
  const halfBlind = probe((ms) => (isIn(ms, 440, 460) ? undefined : isIn(ms, 400, 500) ? 'refused' : 'accepted'));
  t.strictSame(halfBlind.certain, [
    { fromMs: 401, toMs: 436 },
    { fromMs: 461, toMs: 496 },
  ]);
  const unclear = probe((ms) => (isIn(ms, 400, 500) ? 'unclear' : 'accepted'));
  t.strictSame(unclear, { certain: [], possible: [{ fromMs: 396, toMs: 501 }] });
  t.equal(judge(blind, order(470)), 'unclear');
  t.equal(judge(halfBlind, order(470)), 'unclear');
  t.equal(judge(unclear, order(470)), 'unclear');
});

t.test('an order is due if its proof lies in a silence that was long enough', async (t) => {
  const silences = refusedIn(400, 500);
  t.equal(judge(silences, order(465)), 'due');
  t.equal(judge(silences, order(500, { tookMs: 100 })), 'due');
});

t.test('a silence excuses no order that came before it, too early in it, or after it', async (t) => {
  const silences = refusedIn(400, 500);
  for (const provenAtMs of [200, 395, 440, 700, 990]) t.equal(judge(silences, order(provenAtMs)), 'wrong');
  t.equal(judge(silences, order(480, { tookMs: 300 })), 'unclear', 'the order was late');
  t.equal(judge(silences, order(480, { tookMs: 1_100 })), 'wrong', 'ordered long after somebody listened again');
  t.equal(judge(silences, order(600)), 'unclear', 'the bridge was late');
  t.equal(judge(silences, order(465), order(700)), 'wrong', 'one of two');
});

t.test('an order is wrong if nobody was silent, or for too short a time', async (t) => {
  t.equal(judge(undefined, order(465)), 'wrong');
  t.equal(judge(refusedIn(0, 0), order(465)), 'wrong');
  for (const provenAtMs of [410, 420, 430, 440, 450, 480, 520])
    t.equal(judge(refusedIn(400, 440), order(provenAtMs)), 'wrong');
});

t.test('an order for a master that came back empty needs a silence before it', async (t) => {
  const silences = refusedIn(400, 430);
  t.equal(judge(silences, order(700, { kind: 'emptied' })), 'due');
  t.equal(judge(silences, order(390, { kind: 'emptied' })), 'wrong');
  t.equal(judge(undefined, order(700, { kind: 'emptied' })), 'wrong');
});
