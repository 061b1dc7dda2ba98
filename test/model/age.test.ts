import t from 'tap';
import { ageOf } from '../../lib/model/age.ts';

t.test('only a time in the past is older than this moment', (t) => {
  const nowMs = Date.parse('2026-01-01T00:00:10.000Z');
  t.equal(ageOf('2026-01-01T00:00:00.000Z', nowMs), 10_000);
  for (const time of ['2027-01-01T00:00:00.000Z', 'yesterday', '', 'NaN']) t.equal(ageOf(time, nowMs), 0, time);
  t.end();
});
