import fc from 'fast-check';
import t from 'tap';
import { type Address, formatAddress, parseAddress, sameAddress } from '../../lib/model/address.ts';
import { compareVersions, majorityOf } from '../../lib/model/epoch.ts';
import { formatRecord, parseRecord, readStoredRecord, sameAddresses } from '../../lib/model/record.ts';
import { at, record } from '../bridge/plan/world.ts';

const port = fc.integer({ min: 1, max: 65_535 });
const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6());
const address = fc.record({ host, port });

t.test('a formatted address can be parsed', async (t) => {
  const parsed = (it: Address) => parseAddress(formatAddress(it)) ?? { host: 'unreadable', port: 1 };
  fc.assert(fc.property(address, (it) => sameAddress(parsed(it), it)));
  fc.assert(fc.property(address, (it) => JSON.stringify(parsed(parsed(it))) === JSON.stringify(parsed(it))));
  t.pass('any address, in one spelling');
});

t.test('a text that is not an address is refused', async (t) => {
  for (const text of [
    '',
    ':1',
    'a',
    'a:',
    'a:0',
    'a:65536',
    'a:1x',
    'a b:1',
    '::1:2',
    '[x]:1',
    'a:1:2',
    '[::1]',
    'a:-1',
  ])
    t.equal(parseAddress(text), undefined, text);
});

t.test('a formatted record can be parsed, and equal records have equal texts', async (t) => {
  const any = fc.record({
    version: fc.constant(1 as const),
    name: fc.string(),
    generation: fc.nat(),
    epoch: fc.nat({ max: 2 ** 31 - 1 }),
    phase: fc.constantFrom('promoted' as const, 'confirmed' as const),
    master: address,
    replicas: fc.array(address),
    previous: fc.option(address),
    reason: fc.string(),
    changedAt: fc.string(),
    changedBy: fc.string(),
  });
  fc.assert(
    fc.property(any, (it) => {
      const read = parseRecord(formatRecord(it));
      return read !== undefined && formatRecord(read) === formatRecord(it);
    }),
  );
  t.pass('any record');
});

t.test('parsing never throws, whatever the text', async (t) => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => parseRecord(text) === undefined));
  const good = JSON.parse(formatRecord(record('A')));
  const wrong: readonly (readonly [string, unknown])[] = [
    ['version', 2],
    ['name', 1],
    ['generation', -1],
    ['generation', 1.5],
    ['epoch', '5'],
    ['epoch', 2 ** 53],
    ['generation', 2 ** 53 - 1],
    ['phase', 'x'],
    ['master', null],
    ['master', { host: '', port: 1 }],
    ['master', { host: 'a', port: 70_000 }],
    ['replicas', {}],
    ['replicas', [null]],
    ['previous', 'a:1'],
    ['reason', null],
    ['changedAt', 0],
    ['changedBy', undefined],
  ];
  for (const [field, value] of wrong) {
    t.equal(parseRecord(JSON.stringify({ ...good, [field]: value })), undefined, `${field} ${JSON.stringify(value)}`);
  }
  t.strictSame(parseRecord(JSON.stringify({ ...good, more: 1 })), record('A'), 'a later version may add fields');
});

t.test('a key without a record of its name is unreadable and can be overwritten', async (t) => {
  const entry = { value: formatRecord(record('A')), modifyIndex: 7 };
  t.strictSame(readStoredRecord(undefined, 'm'), { kind: 'absent' });
  t.strictSame(readStoredRecord(entry, 'm'), { kind: 'present', record: record('A'), modifyIndex: 7 });
  t.strictSame(readStoredRecord(entry, 'other'), { kind: 'unreadable', modifyIndex: 7 });
  t.strictSame(readStoredRecord({ ...entry, value: '' }, 'm'), { kind: 'unreadable', modifyIndex: 7 });
});

t.test('versions are ordered by generation, then epoch', async (t) => {
  const order = (a: number, b: number, c: number, d: number) =>
    Math.sign(compareVersions({ generation: a, epoch: b }, { generation: c, epoch: d }));
  t.strictSame([order(1, 5, 1, 6), order(2, 0, 1, 9), order(1, 5, 1, 5), order(1, 7, 1, 6)], [-1, 1, 0, 1]);
});

t.test('a majority is more than half', async (t) => {
  t.strictSame([1, 2, 3, 4, 5].map(majorityOf), [1, 2, 2, 3, 3]);
});

t.test('lists of addresses are compared in any order', async (t) => {
  t.ok(sameAddresses([at('A'), at('B')], [at('B'), at('A')]));
  t.notOk(sameAddresses([at('A'), at('A')], [at('A'), at('B')]));
  t.notOk(sameAddresses([at('A')], []));
});
