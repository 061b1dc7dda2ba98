import t from 'tap';
import { DiscoveryRetries } from '../../../lib/bridge/observe/discovery-retries.ts';

const member = {};
const open = () => new DiscoveryRetries<object>({ firstMs: 1_000, mostMs: 5_000 });

t.test('a Sentinel that never answers in time is asked at growing intervals, up to the usual one', async (t) => {
  const retries = open();
  const asked: number[] = [0];
  retries.began(member);
  retries.ended(member, { answered: false, nowMs: 0 });
  for (let nowMs = 0; nowMs <= 25_000; nowMs += 1_000) {
    if (!retries.isDue(member, nowMs)) continue;
    asked.push(nowMs);
    retries.began(member);
    retries.ended(member, { answered: false, nowMs });
  }
  t.strictSame(asked, [0, 1_000, 3_000, 7_000, 12_000, 17_000, 22_000]);
});

t.test(
  'a Sentinel that answers again is not asked again, and a later failure begins with the first pause',
  async (t) => {
    const retries = open();
    for (const answered of [false, false, true]) {
      retries.began(member);
      retries.ended(member, { answered, nowMs: 0 });
      t.equal(retries.isUnanswered(member), !answered);
    }
    t.notOk(retries.isDue(member, 60_000));
    retries.began(member);
    retries.ended(member, { answered: false, nowMs: 60_000 });
    t.notOk(retries.isDue(member, 60_999));
    t.ok(retries.isDue(member, 61_000));
  },
);

t.test('nobody is asked again while the questions are under way', async (t) => {
  const retries = open();
  retries.began(member);
  retries.began(member);
  retries.ended(member, { answered: false, nowMs: 0 });
  t.ok(retries.isRunning(member));
  t.notOk(retries.isDue(member, 60_000));
  retries.ended(member, { answered: false, nowMs: 0 });
  t.ok(retries.isDue(member, 60_000));
});
