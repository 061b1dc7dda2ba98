import t from 'tap';
import { silenceMs } from '../../../../lib/bridge/isolation/plan/plan.ts';
import { acked, connected, isolated, nowMs, planRows, type Row, silent } from './rows.ts';

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

t.test('the silence ends well before Sentinel may call the master down', (t) => {
  t.strictSame([30_000, 5_000, 3_000, 1_000].map(silenceMs), [2_000, 2_000, 1_200, 1_000]);
  t.end();
});
