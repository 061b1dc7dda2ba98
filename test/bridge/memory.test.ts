import t from 'tap';
import { MasterMemory } from '../../lib/bridge/memory.ts';
import type { RecordReading } from '../../lib/bridge/observe/records.ts';
import { held, record } from './plan/world.ts';

const holdings = { keys: new Map(), instances: [] };
const five = record('A', { epoch: 5 });
const six = record('B', { epoch: 6 });

function pushed(content: RecordReading['held'], index: number, resets = 0): RecordReading {
  return { held: content, holdings, index: BigInt(index), resets };
}

t.test('what was written is believed until the watch has caught up', async (t) => {
  const memory = new MasterMemory();
  t.strictSame(memory.held(pushed(held(five, 10), 10)), held(five, 10));
  memory.overtake(held(six, 20), { index: 20n, resets: 0 });
  t.strictSame(memory.held(pushed(held(five, 10), 15)), held(six, 20), 'the watch lags');
  t.strictSame(memory.held(pushed({ kind: 'absent' }, 21)), { kind: 'absent' }, 'the watch is past it');
  t.strictSame(memory.remembered, six);
});

t.test('what was written counts no more when Consul has lost its data', async (t) => {
  const memory = new MasterMemory();
  memory.overtake(held(six, 2_000), { index: 2_000n, resets: 0 });
  t.strictSame(memory.held(pushed({ kind: 'absent' }, 5, 1)), { kind: 'absent' });
  t.strictSame(memory.remembered, six, 'and is still remembered');
});

t.test('the newest record is remembered, and of the same version the first master', async (t) => {
  const memory = new MasterMemory();
  for (const content of [five, six, five, record('C', { epoch: 6 })]) memory.held(pushed(held(content), 1));
  t.strictSame(memory.remembered, six);
  memory.held(pushed(held({ ...six, phase: 'promoted' }), 1));
  t.equal(memory.remembered?.phase, 'promoted', 'its phase may change');
});

t.test('a difference must last before it is written, and each difference anew', async (t) => {
  const memory = new MasterMemory(() => 0.5);
  t.equal(memory.patienceLeftMs('x', 0), 650);
  t.equal(memory.patienceLeftMs('x', 600), 50);
  t.equal(memory.patienceLeftMs('y', 600), 650);
  t.ok(memory.patienceLeftMs('y', 1_250) <= 0);
  memory.settled();
  t.equal(memory.patienceLeftMs('y', 1_250), 650);
});

t.test('two bridges that see different Sentinels do not correct each other without end', async (t) => {
  const memory = new MasterMemory(() => 0);
  const waits: number[] = [];
  let nowMs = 0;
  for (let n = 0; n < 14; n += 1) {
    const waitMs = memory.patienceLeftMs('x', nowMs);
    waits.push(waitMs);
    nowMs += waitMs;
    memory.corrected('x', nowMs);
  }
  t.strictSame(waits.slice(0, 7), [300, 300, 300, 300, 600, 1_200, 2_400]);
  t.equal(waits.at(-1), 76_800, 'at most');
  t.equal(memory.patienceLeftMs('x', nowMs + 3_600_000), 300, 'long after, it is new');
});

t.test('a target that never becomes a master is asked ever less often', async (t) => {
  const memory = new MasterMemory();
  const waits = Array.from({ length: 40 }, () => memory.promotionRetryMs(25));
  t.strictSame([waits[0], waits[19], waits[22], waits.at(-1)], [25, 25, 200, 1_000]);
  memory.promotionOver();
  t.equal(memory.promotionRetryMs(25), 25);
});
