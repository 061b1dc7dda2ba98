import fc from 'fast-check';
import t from 'tap';
import { type CrashSituation, decideCrash } from '../../../lib/bridge/plan/crash.ts';
import type { SentinelView } from '../../../lib/model/sentinel.ts';
import { at, record, view } from './world.ts';

/* An order after an election of the Sentinels that none of them won. */

const seen = (n: number, changes: Partial<SentinelView> = {}): SentinelView =>
  view(n, 'A', 5, {
    linked: false,
    failoverTimeoutMs: 60_000,
    replicas: [{ address: at('B'), condition: 'up', priority: 100 }],
    ...changes,
  });
const waiting: Partial<SentinelView> = { condition: 'o_down', downForMs: 10_000 };

/** A is dead, and each Sentinel has lost an election. */
const lost: CrashSituation = {
  master: at('A'),
  sign: { kind: 'refused', connection: { kind: 'refused', closedMs: 0, firstMs: 5, lastMs: 65, count: 4 } },
  crashAfterMs: 60,
  nowMs: 66,
  record: record('A', { previous: at('B') }),
  recordAgeMs: 60_000,
  election: 'failed',
  lastOrderAgeMs: undefined,
  views: [1, 2, 3].map((n) => seen(n, waiting)),
  knownSentinels: 3,
  replicas: [{ address: at('B'), link: 'down', wasInStep: true }],
  maintenance: undefined,
  bridges: [{ bridge: 'bridge-1', place: 'elsewhere', sees: 'crash' }],
};
const withView = (changes: Partial<SentinelView>): CrashSituation => ({
  ...lost,
  views: [seen(1, waiting), seen(2, waiting), seen(3, changes)],
});

const rows: readonly (readonly [string, CrashSituation, string])[] = [
  ['every Sentinel waits after its election', lost, 'order'],
  ['one Sentinel sees it subjectively down', withView({ condition: 's_down' }), 'order'],
  ['one Sentinel sees it up', withView({}), 'order'],
  ['no election has failed', { ...lost, election: 'unknown' }, 'leave'],
  ['another Sentinel is within its election', withView({ condition: 'failover' }), 'leave'],
  ['a Sentinel has just seen it objectively down', withView({ condition: 'o_down', downForMs: 1_999 }), 'wait'],
  ['a Sentinel does not show for how long it is down', withView({ condition: 'o_down' }), 'wait'],
  ['a Sentinel knows a newer failover', withView({ ...waiting, configEpoch: 6 }), 'leave'],
  ['the record names the replica already', { ...lost, record: record('B') }, 'leave'],
  ['the last failover was less than failover-timeout ago', { ...lost, recordAgeMs: 59_999 }, 'refuse'],
  ['the last order was less than failover-timeout ago', { ...lost, lastOrderAgeMs: 59_999 }, 'refuse'],
  ['a Sentinel is connected to it again', withView({ ...waiting, linked: true }), 'wait'],
  ['no majority of the Sentinels answers', { ...lost, views: [seen(1, waiting)] }, 'wait'],
  [
    'the replica was not in step',
    { ...lost, replicas: [{ address: at('B'), link: 'down', wasInStep: false }] },
    'wait',
  ],
];
for (const [when, situation, kind] of rows) {
  t.test(`after an election that failed: ${kind} if ${when}`, async (t) => {
    t.match(decideCrash(situation), { kind });
  });
}

t.test(
  'it orders nothing while a Sentinel fails over or may begin to, and at most once in failover-timeout',
  async () => {
    const ageMs = fc.integer({ min: 0, max: 130_000 });
    const seenView = fc.record({
      condition: fc.constantFrom<SentinelView['condition']>('up', 's_down', 'o_down', 'failover'),
      downForMs: fc.option(fc.integer({ min: 0, max: 20_000 }), { nil: undefined }),
      failoverTimeoutMs: fc.constantFrom(1_000, 60_000, 120_000),
      linked: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.record({
          views: fc.array(seenView, { minLength: 0, maxLength: 3 }),
          election: fc.constantFrom<CrashSituation['election']>('unknown', 'failed'),
          recordAgeMs: ageMs,
          lastOrderAgeMs: fc.option(ageMs, { nil: undefined }),
        }),
        ({ views, election, recordAgeMs, lastOrderAgeMs }) => {
          const given = views.map(({ downForMs, ...changes }, i) =>
            seen(i + 1, { ...changes, ...(downForMs === undefined ? {} : { downForMs }) }),
          );
          const { kind } = decideCrash({ ...lost, views: given, election, recordAgeMs, lastOrderAgeMs });
          const timeoutMs = Math.max(0, ...views.map((one) => one.failoverTimeoutMs));
          const allows =
            views.every(({ condition, downForMs = 0, linked }) => {
              if (linked || condition === 'failover') return false;
              return condition !== 'o_down' || (election === 'failed' && downForMs >= 2_000);
            }) &&
            views.length >= 2 &&
            recordAgeMs >= timeoutMs &&
            (lastOrderAgeMs ?? Number.POSITIVE_INFINITY) >= timeoutMs;
          return (kind === 'order') === allows;
        },
      ),
      { numRuns: 500 },
    );
  },
);
