import t from 'tap';
import { MasterMemory } from '../../lib/bridge/memory.ts';
import type { RecordReading } from '../../lib/bridge/observe/record-slices.ts';
import { held, record, view } from './plan/world.ts';

const catalogContents = { keys: new Map(), instances: [] };
const five = record('A', { epoch: 5 });
const six = record('B', { epoch: 6 });

function pushed(content: RecordReading['held'], index: number, resets = 0): RecordReading {
  return { held: content, catalogContents, index: BigInt(index), resets };
}

t.test('a record that the bridge wrote counts until the watch has caught up', async (t) => {
  const memory = new MasterMemory();
  t.strictSame(memory.held(pushed(held(five, 10), 10)), held(five, 10));
  memory.noteStored(held(six, 20), { index: 20n, resets: 0 });
  t.strictSame(memory.held(pushed(held(five, 10), 15)), held(six, 20), 'the watch lags');
  t.strictSame(memory.held(pushed({ kind: 'absent' }, 21)), { kind: 'absent' }, 'the watch is past it');
  t.strictSame(memory.record, six);
});

t.test('a record that the bridge wrote no longer counts when Consul has lost its data', async (t) => {
  const memory = new MasterMemory();
  memory.noteStored(held(six, 2_000), { index: 2_000n, resets: 0 });
  t.strictSame(memory.held(pushed({ kind: 'absent' }, 5, 1)), { kind: 'absent' });
  t.strictSame(memory.record, six, 'the bridge still remembers it');
});

t.test('the bridge remembers the newest record, and at one version the first master', async (t) => {
  const memory = new MasterMemory();
  for (const content of [five, six, five, record('C', { epoch: 6 })]) memory.held(pushed(held(content), 1));
  t.strictSame(memory.record, six);
  memory.held(pushed(held({ ...six, phase: 'promoted' }), 1));
  t.equal(memory.record?.phase, 'promoted', 'the phase may change');
});

t.test('the bridge keeps the newest failover that it decided on, also when an older one comes later', async (t) => {
  const memory = new MasterMemory();
  const seven = record('C', { epoch: 7 });
  for (const followed of [seven, six, record('D', { epoch: 7 })]) memory.followed(followed);
  t.strictSame(memory.past(0).decided, seven);
  const rebuilt = record('B', { generation: 2, epoch: 1 });
  memory.followed(rebuilt);
  t.strictSame(memory.past(0).decided, rebuilt, 'a new generation is newer');
});

t.test('the bridge asks a target that does not become a master less and less often', async (t) => {
  const memory = new MasterMemory();
  const waits = Array.from({ length: 40 }, () => memory.promotionRetryMs(25));
  t.strictSame([waits[0], waits[19], waits[22], waits.at(-1)], [25, 25, 200, 1_000]);
  memory.promotionOver();
  t.equal(memory.promotionRetryMs(25), 25);
});

t.test('a node stays a member although the Sentinels forget it', async (t) => {
  const memory = new MasterMemory();
  memory.noteMembers([view(1, 'A', 5)]);
  const members = memory.members;
  memory.noteMembers([view(1, 'B', 6, { replicas: [] })]);
  t.strictSame(memory.members, members);
});

t.test('a request for a new generation counts until it ends or is granted', async (t) => {
  const memory = new MasterMemory();
  memory.rebaseRequested(100);
  t.equal(memory.past(99).rebaseAsked, 'asked');
  t.equal(memory.past(100).rebaseAsked, 'not-asked');
  memory.rebaseGranted();
  t.equal(memory.past(99).rebaseAsked, 'not-asked');
});

t.test('an opinion is reported once', async (t) => {
  const memory = new MasterMemory();
  const up = { status: 'passing', output: 'up' } as const;
  t.ok(memory.judged(up, 'a'));
  t.notOk(memory.judged(up, 'a'));
  t.ok(memory.judged(undefined, 'b'));
  t.equal(memory.opinion, undefined);
});

t.test('after a master was removed, the memory has nothing about it', async (t) => {
  const memory = new MasterMemory();
  memory.noteMembers([view(1, 'B', 6)]);
  memory.held(pushed(held(six), 1));
  memory.trust(six);
  memory.followed(six);
  memory.forget();
  t.strictSame(memory.record, undefined);
  t.strictSame(memory.members, []);
  t.match(memory.past(0), { remembered: undefined, trusted: undefined, decided: undefined, abandonedEpoch: undefined });
});

t.test('a record that somebody edited counts for its version, and not for its content', async (t) => {
  const memory = new MasterMemory();
  const edited = record('C', { epoch: 105 });
  memory.trust(five);
  memory.held(pushed(held(edited), 1));
  t.strictSame(memory.record, five);
  t.strictSame(memory.past(0).remembered, edited);
  const awaited = memory.whenRemembered(({ epoch }) => epoch > 5, { timeoutMs: 10_000 });
  memory.trust({ ...six, generation: 2 });
  t.match(await awaited, { epoch: 6 }, 'nobody waits for an edit');
});

t.test('only a generation with another master ends a promotion', async (t) => {
  for (const [next, abandoned] of [
    ['A', 6],
    ['B', undefined],
  ] as const) {
    const memory = new MasterMemory();
    memory.trust({ ...six, phase: 'promoted' });
    memory.held(pushed(held(record('C', { generation: 2, epoch: 1 })), 1));
    t.equal(memory.past(0).abandonedEpoch, undefined, 'an edit ends none');
    memory.trust(record(next, { generation: 3 }));
    t.equal(memory.past(0).abandonedEpoch, abandoned);
  }
});
