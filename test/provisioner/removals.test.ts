import t from 'tap';
import { Removals } from '../../lib/provisioner/removals.ts';

t.test('a removal is answered at once, and further ones a second later', (t) => {
  const removals = new Removals();
  const at = (nowMs: number, name = 'm') => removals.delayMs(name, nowMs);
  t.equal(at(5_000), 0);
  t.equal(at(5_300), 700);
  t.equal(at(5_900), 100, 'the run that is still to come');
  t.equal(at(5_900, 'other'), 0, 'each master for itself');
  t.end();
});

t.test('somebody who removes it again and again is answered with growing pauses', (t) => {
  const removals = new Removals();
  const runs = [];
  let nowMs = 5_000;
  for (let n = 0; n < 9; n += 1) {
    nowMs += removals.delayMs('m', nowMs);
    runs.push(nowMs / 1_000);
    nowMs += 10;
  }
  t.same(runs, [5, 6, 8, 12, 20, 36, 66, 96, 126]);
  t.equal(removals.delayMs('m', 126_000 + 59_999), 0, 'the time is over');
  t.equal(removals.delayMs('m', 126_000 + 60_010), 29_989, 'but not forgotten');
  t.equal(removals.delayMs('m', 126_000 + 59_999 + 60_000 + 60_000), 0);
  t.equal(removals.delayMs('m', 126_000 + 59_999 + 60_000 + 60_010), 990, 'after a minute of quiet it begins again');
  t.end();
});
