import t from 'tap';
import { isPreparable, judgePrepared, type PreparedSnapshot } from '../../../lib/renderer/plan/prepared.ts';

const terms = { bytes: Buffer.from('a'), destination: '/etc/a.conf', uid: 0, gid: 0, mode: 0o644 };
const good: PreparedSnapshot = {
  prepared: terms,
  wanted: { ...terms, bytes: Buffer.from('a') },
  file: 'as-prepared',
  folder: 'own',
  check: 'passed',
  ageMs: 100,
};

t.test('a prepared file is used only where it is the same, unchanged, and recent', async (t) => {
  const cases: readonly (readonly [string, Partial<PreparedSnapshot>, object])[] = [
    ['the same', {}, { kind: 'use', check: 'passed' }],
    ['never checked', { check: 'none' }, { kind: 'use', check: 'due' }],
    ['checked some time ago', { ageMs: 5_001 }, { kind: 'use', check: 'due' }],
    ['old', { ageMs: 10_001 }, { kind: 'drop', why: 'old' }],
    ['changed by hand', { file: 'changed' }, { kind: 'drop', why: 'changed' }],
    ['in a folder of others', { folder: 'others' }, { kind: 'drop', why: 'folder' }],
    ['another text', { wanted: { ...terms, bytes: Buffer.from('b') } }, { kind: 'drop', why: 'differs' }],
    ['another path', { wanted: { ...terms, destination: '/etc/b.conf' } }, { kind: 'drop', why: 'differs' }],
    ['another owner', { wanted: { ...terms, uid: 1 } }, { kind: 'drop', why: 'differs' }],
    ['no owner', { wanted: { ...terms, uid: undefined } }, { kind: 'drop', why: 'differs' }],
    ['another group', { wanted: { ...terms, gid: 1 } }, { kind: 'drop', why: 'differs' }],
    ['another mode', { wanted: { ...terms, mode: 0o600 } }, { kind: 'drop', why: 'differs' }],
  ];
  for (const [name, over, decision] of cases) t.strictSame(judgePrepared({ ...good, ...over }), decision, name);
});

t.test('a file is prepared only for a template that has nothing else to do', async (t) => {
  const spec = { upkeep: 'kept', placement: 'rename' } as const;
  const masters = new Map([['a', '10.0.0.1:1']]);
  const able = { spec, state: 'current', owed: undefined, expected: undefined, masters };
  t.equal(isPreparable(able, 'a'), true);
  t.equal(isPreparable(able, 'b'), false, 'another master');
  t.equal(isPreparable({ ...able, masters: undefined }, 'a'), false, 'no rendering');
  t.equal(isPreparable({ ...able, spec: { ...spec, placement: 'in-place' } }, 'a'), false, 'overwritten in place');
  t.equal(isPreparable({ ...able, spec: { ...spec, upkeep: 'seed' } }, 'a'), false, 'a seed');
  t.equal(isPreparable({ ...able, owed: {} }, 'a'), false, 'a reload is owed');
  t.equal(isPreparable({ ...able, expected: {} }, 'a'), false, 'prepared for another failover');
  for (const state of ['new', 'debounced', 'queued', 'held', 'pending', 'failed'])
    t.equal(isPreparable({ ...able, state }, 'a'), false, state);
});
