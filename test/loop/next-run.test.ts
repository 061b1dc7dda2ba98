import t from 'tap';
import { makeBackoff } from '../../lib/backoff.ts';
import { SwitchmasterError } from '../../lib/errors.ts';
import { nextRunMs, type Pace } from '../../lib/loop/next-run.ts';
import type { Outcome } from '../../lib/loop/outcome.ts';

const unchanged: Outcome = { kind: 'unchanged' };
const backoff = makeBackoff({ initialMs: 1, maxMs: 5 });
const usual: Pace = { resyncMs: 1_000, keys: 100, isCalm: true, failures: 0, backoff };
const calm = { keys: 25, mostTimes: 4, mostMs: 60_000 };

/** The time without the tenth that is added at random. */
const times = (outcome: Outcome, pace: Partial<Pace>) =>
  Math.floor((nextRunMs(outcome, { ...usual, ...pace }) ?? Number.NaN) / 1_000);

t.test('a calm key of many is reconciled less often, in proportion to their number and within a limit', async (t) => {
  const rows: readonly (readonly [keys: number, times: number])[] = [
    [1, 1],
    [25, 1],
    [50, 2],
    [100, 4],
    [1_000, 4],
  ];
  for (const [keys, expected] of rows) t.equal(times(unchanged, { calm, keys }), expected, `${keys} keys`);
});

t.test('a calm key is reconciled after a limited time, however long the usual time is', async (t) => {
  const rows: readonly (readonly [resyncMs: number, times: number])[] = [
    [14_000, 56],
    [20_000, 60],
    [60_000, 60],
    [86_400_000, 86_400],
  ];
  for (const [resyncMs, expected] of rows) {
    const waitTimes = times(unchanged, { calm, resyncMs });
    t.ok(waitTimes >= expected && waitTimes <= expected * 1.1, `${resyncMs} ms: ${waitTimes}`);
  }
});

t.test(
  'a key that is not calm yet, or of a loop without this setting, is reconciled as often as the config says',
  async (t) => {
    t.equal(times(unchanged, { calm, isCalm: false }), 1);
    t.equal(times(unchanged, {}), 1);
  },
);

t.test('an outcome that says when, and a failure, have their own time', async (t) => {
  t.equal(nextRunMs({ kind: 'held', summary: 'it waits', retryAfterMs: 70 }, { ...usual, calm }), 70);
  t.equal(nextRunMs({ kind: 'unchanged', retryAfterMs: 70 }, { ...usual, calm }), 70);
  t.equal(nextRunMs({ kind: 'fenced', summary: 'another was first' }, { ...usual, calm, failures: 1 }), 0);
  const failed = (code: 'consul-unreachable' | 'config-invalid'): Outcome => ({
    kind: 'failed',
    error: new SwitchmasterError(code, 'it failed'),
  });
  t.ok((nextRunMs(failed('consul-unreachable'), { ...usual, calm }) ?? Number.NaN) <= 5);
  t.equal(nextRunMs(failed('config-invalid'), { ...usual, calm }), undefined);
});
