import t from 'tap';
import {
  type IsolationReading,
  type IsolationState,
  planIsolation,
  planWrites,
  silenceMs,
} from '../../../lib/bridge/isolation/plan.ts';
import { at } from '../plan/world.ts';

const nowMs = 100_000;
const options = { silenceMs: 2_000 };
/** Nobody is heard. The last acknowledgement is 3 s old. */
const silence: IsolationReading = {
  atMs: nowMs,
  server: { kind: 'master', ackAgeMs: 3_000 },
  sentinels: { known: 3, heard: 0 },
  consul: 'silent',
  replaceable: 'yes',
  successor: undefined,
  maintenance: undefined,
};
const connected = (heardMs: number, atMs = nowMs - 250): IsolationState => ({
  ...{ kind: 'connected', by: 'replica', heardMs, atMs },
});
const silent = (rounds: number, heardMs: number): IsolationState => ({
  ...{ kind: 'silent', rounds, heardMs, atMs: nowMs - 250 },
});
const isolated: IsolationState = {
  kind: 'isolated',
  sinceMs: nowMs - 5_000,
  heardMs: nowMs - 8_000,
  atMs: nowMs - 250,
};
const replaced: IsolationState = {
  ...{
    kind: 'replaced',
    after: 'isolation',
    successor: at('B'),
    by: 'consul',
    sinceMs: nowMs - 2_000,
    atMs: nowMs - 250,
  },
};

const tooLong: IsolationState = { kind: 'inactive', why: 'replaced for too long', atMs: nowMs - 250 };
const named = { consul: 'heard', successor: at('B') } as const;
const acked = (ackAgeMs: number | undefined) => ({ server: { kind: 'master', ackAgeMs } }) as const;

type Row = readonly [
  when: string,
  before: IsolationState | undefined,
  given: Partial<IsolationReading>,
  state: IsolationState['kind'] | `inactive: ${string}` | `connected: ${string}`,
  writes: ReturnType<typeof planWrites>,
];
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
  ['it lasts', isolated, {}, 'isolated', 'pause'],
  [
    'it lasts, and the server does not answer',
    isolated,
    { server: { kind: 'unanswered', forMs: 3_000 } },
    'isolated',
    'pause',
  ],
  ['it lasts, and an acknowledgement arrived meanwhile', isolated, acked(2_000), 'isolated', 'pause'],
  ['a replica is heard again', isolated, acked(0), 'connected: replica', 'release'],
  ['the Sentinels are heard again', isolated, { sentinels: { known: 3, heard: 2 } }, 'connected: sentinels', 'release'],
  ['Consul is heard again', isolated, { consul: 'heard' }, 'connected: consul', 'release'],
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
    { consul: 'heard' },
    'connected: consul',
    'nothing',
  ],
];

t.test('a master is paused only while it hears nobody, and released when it hears anybody', (t) => {
  for (const [when, before, given, state, writes] of rows) {
    const after = planIsolation(before, { ...silence, ...given }, options);
    const detail = after.kind === 'inactive' ? `: ${after.why}` : after.kind === 'connected' ? `: ${after.by}` : '';
    t.strictSame([`${after.kind}${detail}`, planWrites(before, after)], [state, writes], when);
  }
  t.end();
});

t.test('the silence ends well before Sentinel may call the master down', (t) => {
  t.strictSame([30_000, 5_000, 3_000, 1_000].map(silenceMs), [2_000, 2_000, 1_200, 1_000]);
  t.end();
});
