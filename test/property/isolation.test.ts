import fc from 'fast-check';
import t from 'tap';
import { planIsolation } from '../../lib/bridge/isolation/plan/plan.ts';
import { type IsolationReading, type IsolationState, isPaused } from '../../lib/bridge/isolation/plan/state.ts';
import { at } from '../bridge/plan/world.ts';
import { parameters } from './parameters.ts';

const limitMs = 2_000;

/** One round of a master's life. The parts are independent: any order of losses and returns occurs. */
const round = fc.record({
  afterMs: fc.constantFrom(250, 250, 250, 750, 1_300, 8_000),
  ackAgeMs: fc.constantFrom(0, 1_000, 2_000, 3_000, 60_000, undefined, undefined),
  role: fc.constantFrom('master', 'master', 'master', 'master', 'master', 'replica', 'unanswered'),
  sentinels: fc.integer({ min: 0, max: 3 }),
  consul: fc.constantFrom('heard', 'silent', 'silent', 'silent'),
  successor: fc.constantFrom(undefined, undefined, undefined, at('B'), 'being promoted'),
  record: fc.constantFrom('unknown', 'unknown', 'own', 'promoted', 'confirmed'),
  maintenance: fc.constantFrom(undefined, undefined, undefined, undefined, undefined, 'it is in maintenance'),
  replaceable: fc.constantFrom('yes', 'yes', 'yes', 'unknown', 'no'),
});
type Round = typeof round extends fc.Arbitrary<infer R> ? R : never;

function toReading({ role, ackAgeMs, sentinels, afterMs: _, ...rest }: Round, atMs: number): IsolationReading {
  const server = role === 'master' ? { kind: role, ackAgeMs } : { kind: role, forMs: 300 };
  return { ...rest, atMs, server, sentinels: { known: 3, heard: sentinels } } as IsolationReading;
}

function hears(reading: IsolationReading): boolean {
  const { server } = reading;
  return (server.kind === 'master' && (server.ackAgeMs ?? Number.POSITIVE_INFINITY) <= 1_000) || hearsOthers(reading);
}

function hearsOthers({ sentinels, consul }: IsolationReading): boolean {
  return Number(sentinels.heard) >= 2 || consul === 'heard';
}

function hearsConsulAlone(reading: IsolationReading): boolean {
  return hears(reading) && !hears({ ...reading, consul: 'silent' });
}

t.test('in any order of events, only a master that hears nobody long enough is paused', (t) => {
  const property = fc.property(fc.array(round, { minLength: 1, maxLength: 60 }), (story) => {
    let state: IsolationState | undefined;
    let nowMs = 1_000_000;
    let heardMs = nowMs;
    let aloneMs: number | undefined;
    let consulMs: number | undefined;
    let returnedMs: number | undefined;
    for (const one of story) {
      nowMs += one.afterMs;
      const reading = toReading(one, nowMs);
      const before = state;
      state = planIsolation(before, reading, { silenceMs: limitMs });
      const pausing = isPaused(state);
      if (pausing && reading.server.kind === 'replica') throw new Error('a replica is paused');
      if (pausing && (reading.maintenance !== undefined || reading.replaceable === 'no'))
        throw new Error('paused in maintenance, or without a replica');
      // A replica alone releases after 2 s. What was heard before the process stood still does not count.
      const isAlone = hears(reading) && !hearsOthers(reading) && isPaused(before);
      aloneMs = isAlone ? (one.afterMs > 3_000 ? nowMs : (aloneMs ?? nowMs)) : undefined;
      const isShort = aloneMs !== undefined && nowMs - aloneMs < 2_000;
      // Nor does Consul alone, for 1 s.
      const isReturned = hearsConsulAlone(reading) && before?.kind === 'isolated';
      returnedMs = isReturned ? (one.afterMs > 3_000 ? nowMs : (returnedMs ?? nowMs)) : undefined;
      const isJustBack = returnedMs !== undefined && nowMs - returnedMs < 1_000;
      if (pausing && hears(reading) && !isShort && !isJustBack && reading.successor === undefined)
        throw new Error('paused although somebody answers and nobody has replaced it');
      if (pausing && hears(reading) && !isPaused(before) && reading.successor === 'being promoted')
        throw new Error('a connected master is paused before another one is promoted');
      if (pausing && before?.kind === 'inactive') throw new Error('paused in the first round');
      const begins = state.kind === 'isolated' && !isPaused(before);
      // Consul alone was heard for as long as the usual limit.
      const isLate = consulMs !== undefined && heardMs - consulMs >= limitMs;
      if (begins && nowMs - heardMs < (isLate ? 500 : limitMs))
        throw new Error(`paused ${nowMs - heardMs} ms after somebody was heard`);
      if (begins && before?.kind !== 'silent') throw new Error('paused after one round');
      if (state.kind === 'replaced' && nowMs - state.sinceMs >= 15_000) throw new Error('paused without an end');
      if (hears(reading)) heardMs = nowMs;
      if (hears(reading)) consulMs = hearsConsulAlone(reading) ? (consulMs ?? nowMs) : undefined;
    }
  });
  fc.assert(property, parameters({ runs: 2_000 }));
  t.end();
});

t.test('a master that hears nobody any more is paused, whatever was before', (t) => {
  const property = fc.property(fc.array(round, { maxLength: 30 }), (story) => {
    let state: IsolationState | undefined;
    let nowMs = 1_000_000;
    for (const one of story) {
      nowMs += one.afterMs;
      state = planIsolation(state, toReading(one, nowMs), { silenceMs: limitMs });
    }
    const cutMs = nowMs;
    const cut = { ackAgeMs: 2_000, role: 'master', sentinels: 1, consul: 'silent', successor: undefined } as const;
    while (!isPaused(state)) {
      nowMs += 750;
      const acked = { ...cut, ackAgeMs: Math.max(2_000, nowMs - cutMs), afterMs: 750 };
      const reading = toReading({ ...acked, maintenance: undefined, replaceable: 'yes' } as unknown as Round, nowMs);
      state = planIsolation(state, reading, { silenceMs: limitMs });
      if (nowMs - cutMs > 4_500) throw new Error('writes are accepted for 4.5 s');
    }
  });
  fc.assert(property, parameters({ runs: 1_000 }));
  t.end();
});
