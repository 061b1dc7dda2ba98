import { performance } from 'node:perf_hooks';
import t from 'tap';
import type { IsolationState } from '../../../lib/bridge/isolation/plan/state.ts';
import { type Asked, readIsolation } from '../../../lib/bridge/isolation/reading.ts';
import type { SentinelReading } from '../../../lib/bridge/observe/sentinel-reading.ts';
import { SwitchmasterError } from '../../../lib/errors.ts';
import type { MasterRecord } from '../../../lib/model/record.ts';
import type { SentinelView } from '../../../lib/model/sentinel.ts';
import { at, record, view } from '../plan/world.ts';

/* The server is A. Its Sentinels, Consul and its own answers are made up. */
const times = { sinceMs: 0, heardMs: 0, atMs: 0 };
const states = {
  replica: { kind: 'connected', by: 'replica', ...times },
  sentinels: { kind: 'connected', by: 'sentinels', ...times },
  released: { kind: 'connected', by: 'replica', ...times, releasedMs: performance.now() },
  tooLong: { kind: 'inactive', why: 'replaced for too long', atMs: 0 },
  isolated: { kind: 'isolated', ...times },
} as const satisfies Record<string, IsolationState>;
const moved = record('B', { epoch: 6, previous: at('A') });
const seen = (one: SentinelView): SentinelReading => ({
  ...{ kind: 'seen', sentinel: one.sentinel, sentinelId: one.sentinelId, view: one },
});
const unaware = (n: number): SentinelReading => ({
  ...{ kind: 'unaware', sentinel: at('Z'), sentinelId: `other${n}`, hasMonitored: false },
});

interface Given {
  readonly lag?: number | 'no answer';
  readonly before?: IsolationState;
  readonly answers?: readonly SentinelReading[];
  readonly stored?: MasterRecord | 'silent';
  readonly known?: Partial<Asked['known']>;
  readonly formerMaster?: Asked['formerMaster'];
}

async function read({ lag = 9, before = states.replica, answers = [], stored = 'silent', ...given }: Given) {
  const asked: string[] = [];
  const info = `role:master\r\nslave0:ip=10.0.0.3,port=6303,state=online,offset=1,lag=${lag}\r\n`;
  const sources = {
    naming: { environment: undefined },
    client: {
      read: async () => {
        asked.push('consul');
        if (stored === 'silent') throw new SwitchmasterError('consul-unreachable', 'made up');
        return { value: { value: JSON.stringify(stored) } };
      },
    },
    sentinels: {
      count: () => 3,
      read: async () => {
        asked.push('sentinels');
        return answers;
      },
    },
  } as unknown as Parameters<typeof readIsolation>[0];
  const { sentinels, consul, successor, ...rest } = await readIsolation(sources, {
    ...{
      name: 'm',
      link: { request: async () => (lag === 'no answer' ? Promise.reject(new Error('late')) : [info]) },
      before,
      own: [at('A')],
      answeredMs: performance.now(),
    },
    ...{ maintenance: undefined, formerMaster: given.formerMaster ?? 'pause' },
    known: Object.create(
      { record: record('A'), newest: record('A'), views: [] },
      Object.getOwnPropertyDescriptors(given.known ?? {}),
    ),
  });
  return { asked, heard: sentinels.heard, consul, successor, record: rest.record };
}

t.test('after a pause, the others are asked although a replica acknowledges', async (t) => {
  const given = { lag: 0, known: { newest: moved } };
  t.match(await read({ ...given, before: states.released }), { asked: ['sentinels', 'consul'], successor: at('B') });
  t.match(await read({ lag: 0, before: states.tooLong, stored: record('A') }), { consul: 'heard', record: 'own' });
  t.match(await read({ lag: 0, before: { ...states.released, releasedMs: performance.now() - 5_000 } }), { asked: [] });
});

t.test('after such a pause, the others are asked although the server does not answer once', async (t) => {
  const given = { lag: 'no answer', stored: moved } as const;
  t.match(await read({ ...given, before: states.tooLong }), { asked: ['sentinels', 'consul'], consul: 'heard' });
  const notAnswered = { ...states.tooLong, why: 'not answered', over: states.tooLong.why } as const;
  t.match(await read({ ...given, before: notAnswered }), { asked: [] }, 'it does not answer for long');
});

t.test('the phase of the record is read, and what most Sentinels say confirms it', async (t) => {
  const promoted: MasterRecord = { ...moved, phase: 'promoted' };
  const known = { newest: promoted };
  t.match(await read({ lag: 0, known }), { asked: [], successor: at('B'), record: 'promoted' });
  t.match(await read({ known, answers: [seen(view(1, 'B', 6))] }), { record: 'promoted' });
  t.match(await read({ known, answers: [seen(view(1, 'B', 6)), seen(view(2, 'B', 6))] }), { record: 'confirmed' });
  t.match(await read({ lag: 0 }), { record: 'unknown' });
});

t.test('a record that arrives while the others are asked counts', async (t) => {
  let newest = record('A');
  const known = {
    get newest() {
      return newest;
    },
  };
  const reading = read({ known });
  newest = moved;
  t.match(await reading, { successor: at('B') });
});

t.test('nobody is asked while a replica acknowledges, unless the writes are paused', async (t) => {
  t.match(await read({ lag: 1 }), { asked: [], heard: 'unasked', consul: 'unasked', successor: undefined });
  t.match(await read({ lag: 1, before: states.isolated, stored: moved }), {
    ...{ asked: ['sentinels', 'consul'], consul: 'heard', successor: at('B') },
  });
});

t.test(
  'a record that names another server is seen without asking, except where former masters are left alone',
  async (t) => {
    const given = { lag: 0, known: { newest: moved } };
    t.match(await read(given), { asked: [], successor: at('B') });
    t.match(await read({ ...given, formerMaster: 'leave' }), { asked: [], successor: undefined });
  },
);

t.test('after a start in isolation, the answers show that the server was replaced', async (t) => {
  const given = { before: states.isolated, known: { record: undefined, newest: undefined } };
  t.match(await read({ ...given, stored: moved }), { consul: 'heard', successor: at('B') });
  t.match(await read({ ...given, answers: [seen(view(1, 'B', 6)), seen(view(2, 'B', 6))] }), { successor: at('B') });
  t.match(await read({ ...given, stored: record('A') }), { consul: 'heard', successor: undefined });
  t.match(await read({ ...given, stored: { ...moved, name: 'other' } }), { consul: 'heard', successor: undefined });
});

t.test('only Sentinels of this master count, each of them once', async (t) => {
  const one = seen(view(1, 'A', 5));
  t.match(await read({ answers: [one, one, unaware(1), unaware(2)] }), { heard: 1, consul: 'silent' });
});

t.test('Consul is not asked in each round while a majority of the Sentinels answers', async (t) => {
  const answers = [seen(view(1, 'A', 5)), seen(view(2, 'A', 5))];
  t.match(await read({ answers }), { asked: ['sentinels', 'consul'] });
  t.match(await read({ answers, before: states.sentinels }), { asked: ['sentinels'], consul: 'unasked' });
  t.match(await read({ answers: [], before: states.sentinels }), { asked: ['sentinels', 'consul'], consul: 'silent' });
});
