import t from 'tap';
import { at } from '../../plan/world.ts';
import {
  acked,
  connected,
  isolated,
  named,
  nowMs,
  planRows,
  planStates,
  promoted,
  type Row,
  replaced,
  silent,
  tooLong,
  unconfirmed,
} from './rows.ts';

/* It was paused for a successor as long as possible before. */
const overdue = 'inactive: successor unconfirmed';
const after = { over: 'successor unconfirmed' } as const;
const isolatedAfter = { ...isolated, ...after };
const notAnswered = { ...tooLong, why: 'not answered', over: 'replaced for too long' } as const;
const byConsul = { consul: 'heard', record: 'own' } as const;
const silentAfter = (heardMs: number) => ({ ...silent(2, heardMs), ...after }) as const;

const rows: readonly Row[] = [
  ['it lasts', isolated, {}, 'isolated', 'pause'],
  [
    'it lasts, and the server does not answer',
    isolated,
    { server: { kind: 'unanswered', forMs: 3_000 } },
    'isolated',
    'pause',
  ],
  ['it lasts, and an acknowledgement arrived meanwhile', isolated, acked(2_000), 'isolated', 'pause'],
  ["Consul's leader alone is heard again", isolated, { consul: 'heard' }, 'isolated', 'pause'],
  [
    "Consul's leader alone is heard, for less than the limit",
    { ...isolated, consulMs: nowMs - 950 },
    byConsul,
    'isolated',
    'pause',
  ],
  [
    "Consul's leader alone is heard for long",
    { ...isolated, consulMs: nowMs - 1_000 },
    byConsul,
    'connected: consul',
    'release',
  ],
  [
    "Consul's leader was heard alone before, and a replica is now",
    { ...isolated, consulMs: nowMs - 5_000 },
    acked(0),
    'isolated',
    'pause',
  ],
  [
    'a majority of the Sentinels is heard after Consul',
    { ...isolated, consulMs: nowMs - 250 },
    { consul: 'heard', sentinels: { known: 3, heard: 2 } },
    'connected: sentinels',
    'release',
  ],
  ['a replica alone is heard again', isolated, acked(0), 'isolated', 'pause'],
  [
    'a replica alone is heard, for less than the limit',
    { ...isolated, replicaMs: nowMs - 1_900 },
    acked(0),
    'isolated',
    'pause',
  ],
  [
    'a replica alone is heard for long',
    { ...isolated, replicaMs: nowMs - 2_000 },
    acked(0),
    'connected: replica',
    'release',
  ],
  [
    'a replica alone is heard after the process stood still',
    { ...isolated, replicaMs: nowMs - 8_000, atMs: nowMs - 5_000 },
    acked(0),
    'isolated',
    'pause',
  ],
  ['a replica and Consul are heard again', isolated, { ...acked(0), consul: 'heard' }, 'connected: replica', 'release'],
  [
    'a replica and most Sentinels are heard again',
    isolated,
    { ...acked(0), sentinels: { known: 3, heard: 2 } },
    'connected: replica',
    'release',
  ],
  ['a replaced master hears a replica alone', replaced, acked(0), 'replaced', 'pause'],
  [
    'a replaced master hears a replica alone, at the limit',
    { ...replaced, sinceMs: nowMs - 15_000 },
    acked(0),
    'inactive: replaced for too long',
    'nothing',
  ],
  ['a replaced master whose successor is unconfirmed', replaced, promoted, 'replaced', 'pause'],
  [
    'its successor is unconfirmed for long',
    { ...replaced, sinceMs: nowMs - 5_000 },
    promoted,
    'inactive: successor unconfirmed',
    'release',
  ],
  ['it is not paused again for it', unconfirmed, promoted, 'inactive: successor unconfirmed', 'nothing'],
  ['its successor is confirmed after all', unconfirmed, named, 'connected: consul', 'nothing'],
  [
    'its successor was not confirmed, and it is the master again',
    unconfirmed,
    byConsul,
    'connected: consul',
    'nothing',
  ],
  ['the Sentinels are heard again', isolated, { sentinels: { known: 3, heard: 2 } }, 'connected: sentinels', 'release'],
  ['it is heard again, and was replaced', isolated, named, 'replaced', 'pause'],
  [
    'it is heard again in a failover',
    isolated,
    { sentinels: { known: 3, heard: 3 }, successor: 'being promoted' },
    'replaced',
    'pause',
  ],
  [
    'a replaced master that is a replica now',
    replaced,
    { server: { kind: 'replica' } },
    'inactive: replica',
    'release',
  ],
  ['a replaced master, still', replaced, named, 'replaced', 'pause'],
  ['the failover was given up', replaced, { consul: 'heard' }, 'connected: consul', 'release'],
  [
    'a replaced master that nobody demotes',
    { ...replaced, sinceMs: nowMs - 15_000 },
    named,
    'inactive: replaced for too long',
    'nothing',
  ],
  ['a replaced master that is cut off again', replaced, {}, 'isolated', 'pause'],
  ['maintenance releases', isolated, { maintenance: 'it is in maintenance' }, 'inactive: maintenance', 'release'],
  [
    'maintenance does not release a master that was replaced',
    replaced,
    { maintenance: 'it is in maintenance' },
    'inactive: maintenance',
    'nothing',
  ],
  ['a replica acknowledges to a master that was replaced', isolated, { ...acked(0), ...named }, 'replaced', 'pause'],
  ['a connected master was replaced', connected(nowMs - 250), named, 'replaced', 'pause'],
  [
    'a connected master was replaced, and a replica acknowledges',
    connected(nowMs - 250),
    { ...acked(0), successor: at('B') },
    'replaced',
    'pause',
  ],
  [
    'a silent master hears that it was replaced',
    silent(2, nowMs - 1_000),
    { sentinels: { known: 3, heard: 2 }, successor: at('B') },
    'replaced',
    'pause',
  ],
  [
    'a connected master hears of a failover that is under way',
    connected(nowMs - 250),
    { consul: 'heard', successor: 'being promoted' },
    'connected: consul',
    'nothing',
  ],
  [
    'a master that was replaced for too long is not paused again',
    tooLong,
    named,
    'inactive: replaced for too long',
    'nothing',
  ],
  [
    'a master that was replaced for too long, and is the master again',
    tooLong,
    byConsul,
    'connected: consul',
    'nothing',
  ],
  [
    'a master that was replaced for too long does not answer once',
    tooLong,
    { server: { kind: 'unanswered', forMs: 400 }, consul: 'heard' },
    'inactive: replaced for too long',
    'nothing',
  ],
  [
    'it did not answer for long, and is named as replaced again',
    notAnswered,
    named,
    'inactive: replaced for too long',
    'nothing',
  ],
  [
    'it did not answer for long, and nobody names another one',
    notAnswered,
    { ...acked(0), sentinels: { known: 3, heard: 'unasked' }, consul: 'unasked' },
    'inactive: replaced for too long',
    'nothing',
  ],
  ['it did not answer for long, and is the master again', notAnswered, byConsul, 'connected: consul', 'nothing'],
  ['it did not answer for long, and hears nobody', notAnswered, {}, 'silent', 'nothing'],
  ['nobody says that it was replaced', tooLong, acked(0), 'inactive: replaced for too long', 'nothing'],
  ['it was replaced for too long, and nobody answers', tooLong, {}, 'silent', 'nothing'],
  ['its successor is unconfirmed, and nobody answers', unconfirmed, {}, 'silent', 'nothing'],
  ['nobody answers for long', silentAfter(nowMs - 3_000), {}, 'isolated', 'pause'],
  ['somebody answers in the silence', silentAfter(nowMs - 1_000), promoted, overdue, 'nothing'],
  ['a replica answers in the silence', silentAfter(nowMs - 1_000), acked(0), overdue, 'nothing'],
  ['the isolation lasts', isolatedAfter, {}, 'isolated', 'pause'],
  ['it hears of the same successor again', isolatedAfter, promoted, overdue, 'release'],
  ['it hears a replica alone', isolatedAfter, acked(0), 'isolated', 'pause'],
  ['it hears a replica alone for long', { ...isolatedAfter, replicaMs: nowMs - 2_000 }, acked(0), overdue, 'release'],
  ['the successor was confirmed meanwhile', isolatedAfter, named, 'replaced', 'pause'],
  ['it is the master again after the isolation', isolatedAfter, byConsul, 'connected: consul', 'release'],
  ['it is a replica at last', tooLong, { server: { kind: 'replica' } }, 'inactive: replica', 'nothing'],
];

t.test('a reason to do nothing does not permit another pause for the same replacement', (t) => {
  const gaps = planStates(tooLong, [
    { server: { kind: 'unanswered', forMs: 10_000 } },
    { sentinels: { known: 0, heard: 'unasked' } },
    { replaceable: 'no' },
    { maintenance: 'it is in maintenance' },
  ]);
  for (const gap of gaps) {
    t.match(gap, { kind: 'inactive', over: 'replaced for too long' });
    t.strictSame(planStates(gap, [named])[0]?.kind, 'inactive', JSON.stringify(gap));
  }
  const replica = planStates(tooLong, [{ server: { kind: 'replica' } }]);
  t.strictSame(replica, [{ kind: 'inactive', why: 'replica', atMs: nowMs }], 'then it is over');
  t.end();
});

t.test('a paused master is released when it hears anybody, unless it was replaced', (t) => {
  for (const [when, found, wanted] of planRows(rows)) t.strictSame(found, wanted, when);
  t.end();
});
