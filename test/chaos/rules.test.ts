import t from 'tap';
import type { MasterRecord } from '../../lib/model/record.ts';
import { Random } from './random.ts';
import { judgeDestinations, judgeDns, judgeKeys, judgeLosses, judgeRecords } from './rules.ts';

const members = ['127.0.0.1:7001', '127.0.0.1:7002'];

function record(generation: number, epoch: number, port: number): MasterRecord {
  const master = { host: '127.0.0.1', port };
  const rest = { replicas: [], previous: null, reason: 'failover', changedAt: '2026-01-01T00:00:00Z', changedBy: 'b' };
  return { version: 1, name: 'shard1', generation, epoch, phase: 'confirmed', master, ...rest };
}

const seen = (...records: MasterRecord[]) => records.map((one, index) => ({ record: one, index, atMs: index }));

t.test('records', async (t) => {
  t.strictSame(judgeRecords(seen(record(1, 1, 7001), record(1, 2, 7002), record(2, 1, 7001)), members), []);
  t.match(judgeRecords(seen(record(1, 2, 7001), record(1, 1, 7001)), members), [/followed the newer 1\/2/]);
  t.match(judgeRecords(seen(record(1, 2, 7001), record(1, 2, 7002)), members), [/has the version of 127.0.0.1:7001/]);
  t.match(judgeRecords(seen(record(1, 2, 9999)), members), [/names no server of shard1/]);
});

t.test('keys may differ for as long as a repair takes', async (t) => {
  const differing = { atMs: 1_000, isWhole: false, plain: 'a', record: 'b' };
  const allowed = { differMs: 500, untilMs: 9_000 };
  t.strictSame(judgeKeys([differing, { ...differing, atMs: 1_400, isWhole: true }], allowed), []);
  t.match(judgeKeys([differing], allowed), [/differed for 8000 ms: a beside b/]);
});

t.test('DNS names one member', async (t) => {
  t.strictSame(judgeDns([{ addresses: ['127.0.0.1'] }, { addresses: [] }], ['127.0.0.1']), []);
  t.match(judgeDns([{ addresses: ['127.0.0.1', '127.0.0.2'] }], ['127.0.0.1', '127.0.0.2']), [/at once/]);
  t.match(judgeDns([{ addresses: ['127.0.0.3'] }], ['127.0.0.1']), [/127.0.0.3, no member/]);
});

t.test('losses are compared with those of a client that follows the Sentinels', async (t) => {
  const control = { writer: 'control', lost: 3, acknowledged: 100 };
  t.strictSame(judgeLosses([{ writer: 'dns', lost: 8, acknowledged: 90 }, control], 5), []);
  t.match(judgeLosses([{ writer: 'dns', lost: 9, acknowledged: 90 }, control], 5), [/by dns lost 9 of 90/]);
});

t.test('every place names the one master in the end', async (t) => {
  const whole = { phase: 'confirmed', role: 'a:1', record: 'a:1', dns: 'a:1' };
  t.strictSame(judgeDestinations('m', whole), []);
  t.match(judgeDestinations('m', { ...whole, dns: '' }), [/dns of m names nobody/]);
  t.match(judgeDestinations('m', { ...whole, role: 'a:1 b:1' }), [/has the masters "a:1 b:1"/, /record/, /dns/]);
  t.match(judgeDestinations('m', { ...whole, phase: 'promoted' }), [/is promoted/]);
});

t.test('a seed decides all random numbers', async (t) => {
  const draw = (seed: number) =>
    Array.from(
      { length: 5 },
      (
        (random) => () =>
          random.between(1, 1_000)
      )(new Random(seed)),
    );
  t.strictSame(draw(7), draw(7));
  t.notSame(draw(7), draw(8));
});
