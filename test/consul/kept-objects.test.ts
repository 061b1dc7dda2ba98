import t from 'tap';
import { keepUnchanged } from '../../lib/consul/kept-objects.ts';
import type { KvEntry } from '../../lib/model/catalog.ts';
import { formatRecord, readStoredRecord, recordIn } from '../../lib/model/record.ts';
import { makeInstance, makeRecord } from '../template/world.ts';

const entry = (key: string, value: string, modifyIndex = 1): KvEntry => ({ key, value, modifyIndex });
const copy = <T>(value: T): T => structuredClone(value);

t.test('keys that did not change keep their objects, and so their parsed records', async (t) => {
  const before = ['a', 'b', 'c'].map((name) => entry(name, formatRecord(makeRecord({ name }))));
  const record = recordIn(before[0] as KvEntry);
  const after = [copy(before[0]), entry('b', 'another'), entry('c', before[2]?.value ?? '', 2), entry('d', '')];
  const kept = keepUnchanged(before, after as KvEntry[]) as readonly KvEntry[];
  t.strictSame(kept, after);
  t.strictSame(
    kept.map((one, i) => one === before[i]),
    [true, false, false, false],
    'neither another value nor another index',
  );
  t.equal(recordIn(kept[0] as KvEntry), record);
  const stored = readStoredRecord(kept[0], 'a');
  t.equal(stored.kind === 'present' && stored.record, record);
});

t.test('instances that did not change keep their objects', async (t) => {
  const check = { id: 'c', serviceId: 's', name: 'n', status: 'passing', output: '' } as const;
  const before = ['1', '2'].map((id) => makeInstance({ id, checks: [check] }));
  const after = [copy(before[0]), makeInstance({ id: '2', checks: [{ ...check, status: 'critical' }] })];
  const kept = keepUnchanged(before, after as typeof before) as typeof before;
  t.strictSame(kept, after);
  t.equal(kept[0], before[0]);
  t.not(kept[1], before[1]);
});

t.test('answers that are no lists of objects stay as they are', async (t) => {
  t.strictSame(keepUnchanged(undefined, [entry('a', '')]), [entry('a', '')]);
  t.strictSame(keepUnchanged(['dc1', 'dc2'], ['dc2', 'dc3']), ['dc2', 'dc3']);
  t.equal(keepUnchanged(entry('a', '1'), undefined), undefined);
});
