import fc from 'fast-check';
import t from 'tap';
import {
  type ConnectionEvent,
  type ConnectionState,
  isProven,
  longestPauseMs,
  traceConnection,
} from '../../lib/model/crash-proof.ts';

const crashAfterMs = 60;
const start: ConnectionState = { kind: 'no-proof' };

function trace(events: readonly ConnectionEvent[]): ConnectionState {
  return events.reduce(traceConnection, start);
}

/** Events by letters, 20 ms apart: closed, refused, accepted, unclear. */
function story(text: string, stepMs = 20): readonly ConnectionEvent[] {
  const kinds = { c: 'closed', r: 'refused', a: 'accepted', u: 'unclear' } as const;
  return [...text].map((letter, i) => ({ kind: kinds[letter as keyof typeof kinds], atMs: i * stepMs }));
}

function provenBy(events: readonly ConnectionEvent[]): boolean {
  return isProven(trace(events), { crashAfterMs, nowMs: events.at(-1)?.atMs ?? 0 });
}

const stories: Readonly<Record<string, boolean>> = {
  crrrr: true,
  crrrrrrr: true,
  acrrrr: true,
  crarcrrrr: true,
  crrr: false,
  rrrrrr: false,
  carrrrr: false,
  crrarrrr: false,
  crrurrrr: false,
  crrrra: false,
  crrrru: false,
  crrrrc: false,
  crrcrr: false,
  '': false,
};
for (const [text, proven] of Object.entries(stories)) {
  t.test(`"${text}" ${proven ? 'proves' : 'does not prove'} a crash`, async (t) => {
    t.equal(provenBy(story(text)), proven);
  });
}

t.test('refusals in one instant, or with a long pause in between, prove nothing', async (t) => {
  t.notOk(provenBy(story('crrrrrrrrrr', 5)));
  t.notOk(provenBy([...story('crr'), { kind: 'refused', atMs: 5_000 }]));
  t.notOk(isProven(trace(story('crrrr')), { crashAfterMs, nowMs: 80 + longestPauseMs + 1 }));
});

t.test('whatever the order of events, only an unbroken row of refusals after a close proves a crash', async () => {
  const kind = fc.oneof(
    { weight: 6, arbitrary: fc.constant('refused' as const) },
    fc.constantFrom('closed' as const, 'accepted' as const, 'unclear' as const),
  );
  const event = fc.record({ kind, afterMs: fc.integer({ min: 0, max: 300 }) });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 30 }), (steps) => {
      let atMs = 0;
      const events = steps.map(({ kind, afterMs }): ConnectionEvent => {
        atMs += afterMs;
        return { kind, atMs };
      });
      const row = events.slice(events.findLastIndex((one) => one.kind !== 'refused'));
      const [first, ...refusals] = row;
      const isAfterPause = ({ atMs: laterMs }: ConnectionEvent, i: number) =>
        i > 0 && laterMs - (refusals[i - 1]?.atMs ?? 0) > longestPauseMs;
      const counted = refusals.slice(Math.max(0, refusals.findLastIndex(isAfterPause)));
      const lastedMs = (counted.at(-1)?.atMs ?? 0) - (counted[0]?.atMs ?? 0);
      const expected = first?.kind === 'closed' && counted.length >= 3 && lastedMs >= crashAfterMs;
      return provenBy(events) === expected;
    }),
    { numRuns: 2_000 },
  );
});
