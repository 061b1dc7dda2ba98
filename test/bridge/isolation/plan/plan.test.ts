import t from 'tap';
import { silenceMs } from '../../../../lib/bridge/isolation/plan/plan.ts';
import { acked, byConsul, connected, isolated, nowMs, planRows, planStates, type Row, silent } from './rows.ts';

const rows: readonly Row[] = [
  ['nobody for 3 s, in the second round', silent(1, nowMs - 3_000), {}, 'isolated', 'pause'],
  ['the first round without an answer', connected(nowMs - 3_000), {}, 'silent', 'nothing'],
  ['nobody, but for less than the limit', silent(3, nowMs - 1_900), acked(2_000), 'silent', 'nothing'],
  ['an acknowledgement in the silence restarts it', silent(3, nowMs - 9_000), acked(1_500), 'silent', 'nothing'],
  ['a replica acknowledges', silent(9, nowMs - 9_000), acked(1_000), 'connected: replica', 'nothing'],
  [
    'a majority of the Sentinels alone',
    silent(9, nowMs - 9_000),
    { sentinels: { known: 3, heard: 2 } },
    'connected: sentinels',
    'nothing',
  ],
  ['a minority of the Sentinels', silent(9, nowMs - 9_000), { sentinels: { known: 3, heard: 1 } }, 'isolated', 'pause'],
  ['half of the Sentinels', silent(9, nowMs - 9_000), { sentinels: { known: 4, heard: 2 } }, 'isolated', 'pause'],
  ["Consul's leader alone", silent(9, nowMs - 9_000), { consul: 'heard' }, 'connected: consul', 'nothing'],
  [
    'no replica is connected, and Consul answers',
    silent(9, nowMs - 9_000),
    { ...acked(undefined), consul: 'heard' },
    'connected: consul',
    'nothing',
  ],
  ['no replica is connected, and nobody answers', silent(9, nowMs - 9_000), acked(undefined), 'isolated', 'pause'],
  [
    'the process stood still: the silence begins again',
    { ...silent(9, nowMs - 9_000), atMs: nowMs - 4_000 },
    {},
    'silent',
    'nothing',
  ],
  ['a start in the silence', undefined, {}, 'silent', 'nothing'],
  [
    'a start in the silence, 2 s later',
    silent(8, nowMs - 2_000),
    { ...acked(undefined), replaceable: 'unknown' },
    'isolated',
    'pause',
  ],
  ['the master has no replica', silent(9, nowMs - 9_000), { replaceable: 'no' }, 'inactive: no replicas', 'nothing'],
  [
    'no Sentinel monitors it',
    silent(9, nowMs - 9_000),
    { sentinels: { known: 0, heard: 'unasked' } },
    'inactive: no sentinels',
    'nothing',
  ],
  ['a replica', silent(9, nowMs - 9_000), { server: { kind: 'replica' } }, 'inactive: replica', 'nothing'],
  [
    'maintenance',
    silent(9, nowMs - 9_000),
    { maintenance: 'it is in maintenance' },
    'inactive: maintenance',
    'nothing',
  ],
  [
    'a server that never answered',
    undefined,
    { server: { kind: 'unanswered', forMs: 3_000 } },
    'inactive: not answered',
    'nothing',
  ],
  [
    'a busy master that nobody hears',
    silent(9, nowMs - 9_000),
    { server: { kind: 'unanswered', forMs: 3_000 } },
    'isolated',
    'pause',
  ],
  [
    'a process that has not answered for long',
    connected(nowMs - 250),
    { server: { kind: 'unanswered', forMs: 10_000 }, sentinels: { known: 3, heard: 3 } },
    'inactive: not answered',
    'nothing',
  ],
  [
    'it lasts, and the server has not answered for long',
    isolated,
    { server: { kind: 'unanswered', forMs: 90_000 } },
    'isolated',
    'pause',
  ],
];

t.test('a master is paused only while it hears nobody', (t) => {
  for (const [when, found, wanted] of planRows(rows)) t.strictSame(found, wanted, when);
  t.end();
});

t.test('where Consul alone was heard for long, a master is paused soon after it is silent too', (t) => {
  const heard = { ...acked(9_000), consul: 'heard' } as const;
  const kinds = (before: Parameters<typeof planStates>[0], readings: Parameters<typeof planStates>[1]) => {
    let state = before;
    return readings.map((reading) => {
      [state] = planStates(state, [reading]);
      return state?.kind;
    });
  };
  const later = (ms: number, given = {}) => ({ ...acked(9_000 + ms), atMs: nowMs + ms, ...given });
  const long = byConsul(nowMs - 5_000);
  t.strictSame(kinds(long, [later(0), later(450)]), ['silent', 'isolated'], 'two rounds are enough');
  t.strictSame(kinds(long, [later(0), later(200), later(450)]), ['silent', 'silent', 'isolated'], 'and half a second');
  const short = byConsul(nowMs - 2_000);
  t.strictSame(kinds(short, [later(0), later(450), later(1_700), later(1_750)]), [
    ...['silent', 'silent', 'silent', 'isolated'],
  ]);
  t.strictSame(
    kinds(long, [later(0, acked(1_200)), later(450, acked(1_650))]),
    ['silent', 'silent'],
    'a replica acked',
  );
  t.strictSame(
    kinds(connected(nowMs - 250), [heard, later(2_500, heard), later(4_900, heard), later(5_100), later(5_500)]),
    ['connected', 'connected', 'connected', 'silent', 'isolated'],
    'as counted from its beginning',
  );
  const blip = [later(0), later(300, heard), later(600), later(1_000)];
  t.strictSame(kinds(long, blip), ['silent', 'connected', 'silent', 'isolated'], 'a silence in between');
  t.strictSame(
    kinds(connected(nowMs - 250), [later(0, heard), later(3_900, heard), later(4_200), later(4_700)]),
    ['connected', 'connected', 'silent', 'silent'],
    'this process stood still',
  );
  t.end();
});

t.test('the silence ends well before Sentinel may call the master down', (t) => {
  t.strictSame([30_000, 5_000, 3_000, 1_000].map(silenceMs), [2_000, 2_000, 1_200, 1_000]);
  t.end();
});
