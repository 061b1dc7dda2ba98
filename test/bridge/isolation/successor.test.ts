import t from 'tap';
import {
  type Evidence,
  findProvenSuccessor,
  findSuccessor,
  keepRecord,
} from '../../../lib/bridge/isolation/successor.ts';
import { at, record, view } from '../plan/world.ts';

/** The server is A, and its record has epoch 5. B is promoted with epoch 6. */
const before: Evidence = {
  own: [{ host: '127.0.0.1', port: 6301 }, at('A')],
  ...{ before: record('A'), newest: record('A'), views: [], knownSentinels: 3 },
};
const moved = record('B', { epoch: 6, previous: at('A') });
const unlisted = record('C', { replicas: [at('D')] });
type Found = ReturnType<typeof findSuccessor>;

const rows: readonly (readonly [when: string, given: Partial<Evidence>, paused: Found, accepted: Found])[] = [
  ['nothing happened', {}, undefined, undefined],
  ['the record names another server', { newest: moved }, at('B'), at('B')],
  ['one Sentinel names another server at a newer epoch', { views: [view(1, 'B', 6)] }, at('B'), undefined],
  ['most Sentinels do', { views: [view(1, 'B', 6), view(2, 'B', 6)] }, at('B'), at('B')],
  ['most Sentinels do at an older epoch', { views: [view(1, 'B', 4), view(2, 'B', 4)] }, undefined, undefined],
  [
    'a failover is under way',
    { views: [view(1, 'A', 5, { condition: 'failover' }), view(2, 'A', 5)] },
    'being promoted',
    undefined,
  ],
  [
    'the record names the server by another address',
    { newest: { ...record('A', { epoch: 6 }), master: { host: '127.0.0.1', port: 6301 } } },
    undefined,
    undefined,
  ],
  ['a new name, at the same epoch', { newest: record('Z', { previous: at('A') }) }, at('Z'), undefined],
  ['a new generation', { newest: record('Z', { generation: 2, epoch: 9 }) }, at('Z'), undefined],
  ['it was promoted itself', { before: record('B', { epoch: 4 }) }, undefined, undefined],
  ['no record from before: the new one lists it', { before: undefined, newest: moved }, at('B'), undefined],
  [
    'no record from before: the new one has it as the former master alone',
    { before: undefined, newest: { ...moved, replicas: [] } },
    at('B'),
    undefined,
  ],
  [
    'no record from before, and the new one does not list it',
    { before: undefined, newest: unlisted },
    undefined,
    undefined,
  ],
  [
    'no record at all, and most Sentinels list it as a replica',
    { before: undefined, newest: undefined, views: [view(1, 'B', 6), view(2, 'B', 6)] },
    at('B'),
    undefined,
  ],
  [
    'no record at all, and one Sentinel does',
    { before: undefined, newest: undefined, views: [view(1, 'B', 6)] },
    undefined,
    undefined,
  ],
  ['its own addresses were not known before', { before: moved, newest: moved }, at('B'), undefined],
  ['its addresses are unknown', { own: [], newest: moved }, at('B'), undefined],
];

t.test('a successor is found by any sign while writes are paused, and only by proof before', (t) => {
  for (const [when, given, paused, accepted] of rows) {
    const evidence = { ...before, ...given };
    t.strictSame([findSuccessor(evidence), findProvenSuccessor(evidence)], [paused, accepted], when);
  }
  t.end();
});

t.test('the record that named the server outlasts that of its successor', (t) => {
  const { own } = before;
  const [first, later] = [record('A'), record('A', { epoch: 7 })];
  t.equal(keepRecord({ own, before: undefined, newest: first }, 'heard'), first);
  t.equal(keepRecord({ own, before: first, newest: moved }, 'heard'), first);
  t.equal(keepRecord({ own, before: first, newest: later }, 'silent or paused'), later);
  t.equal(keepRecord({ own, before: first, newest: undefined }, 'heard'), first);
  t.equal(keepRecord({ own, before: undefined, newest: moved }, 'heard'), undefined);
  t.equal(keepRecord({ own: [], before: first, newest: moved }, 'heard'), moved, 'unknown addresses');
  t.equal(keepRecord({ own: [], before: first, newest: moved }, 'silent or paused'), first, 'unknown addresses');
  t.end();
});
