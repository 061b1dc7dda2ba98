import t from 'tap';
import type { MasterRecord } from '../../lib/model/record.ts';
import { appServers, haproxyServers, runtimeServers, twemproxyServers } from './places.ts';
import { Random } from './random.ts';
import { judgeDestinations, judgeDns, judgeKeys, judgeLosses, judgePlaces, judgeRecords } from './rules.ts';
import { formatRound, formatSummary, Tally } from './tally.ts';

const members = ['127.0.0.1:7001', '127.0.0.1:7002'];

function record(generation: number, epoch: number, port: number): MasterRecord {
  const master = { host: '127.0.0.1', port };
  const rest = { replicas: [], previous: null, reason: 'failover', changedAt: '2026-01-01T00:00:00Z', changedBy: 'b' };
  return { version: 1, name: 'shard1', generation, epoch, phase: 'confirmed', master, ...rest };
}

const seen = (...records: MasterRecord[]) => records.map((one, index) => ({ record: one, index, atMs: index }));

t.test('records', async (t) => {
  t.strictSame(
    judgeRecords(seen(record(1, 1, 7001), record(1, 2, 7002), record(2, 1, 7001)), { members, memory: 'kept' }),
    [],
  );
  t.match(judgeRecords(seen(record(1, 2, 7001), record(1, 1, 7001)), { members, memory: 'kept' }), [
    /followed the newer 1\/2/,
  ]);
  t.match(judgeRecords(seen(record(1, 2, 7001), record(1, 2, 7002)), { members, memory: 'kept' }), [
    /has the version of 127.0.0.1:7001/,
  ]);
  const forgotten = { members, memory: 'forgotten' } as const;
  t.strictSame(judgeRecords(seen(record(2, 2, 7001), record(1, 2, 7001)), forgotten), []);
  t.match(judgeRecords(seen(record(2, 2, 7001), record(1, 2, 7002)), forgotten), [/followed the newer/]);
  t.match(judgeRecords(seen(record(1, 2, 9999)), { members, memory: 'kept' }), [/names no server of shard1/]);
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
  const lost = (writer: string, fromMs: number, count: number) => {
    const lostAtMs = Array.from({ length: count }, (_, i) => fromMs + i * 10);
    return { writer, lostAtMs, acknowledged: 1_000 };
  };
  const control = lost('control', 5_000, 3);
  t.strictSame(judgeLosses([lost('dns', 4_950, 15), control], 5), [], 'of the same moment');
  t.strictSame(judgeLosses([lost('dns', 9_000, 5), control], 5), [], 'within the allowance');
  t.match(judgeLosses([lost('dns', 9_000, 6), control], 5), [/by dns lost 6 of 1000 .* control 3: 6 are its own/]);
  t.strictSame(judgeLosses([lost('sentinel', 9_000, 90), control], 5), [], 'not a way of ours');
});

const ring = new Map([['shard1', members]]);

t.test('a place names one member of every shard', async (t) => {
  const at = (named: Record<string, string[]>) => [
    { atMs: 0, place: 'haproxy', named: new Map(Object.entries(named)) },
  ];
  t.strictSame(judgePlaces(at({ shard1: ['127.0.0.1:7002'] }), ring), []);
  t.strictSame(judgePlaces(at({ shard1: [] }), ring), [], 'while a connection is broken');
  t.match(judgePlaces(at({}), ring), [/haproxy lacked shard1/]);
  t.match(judgePlaces(at({ shard1: ['192.0.2.1:6379'] }), ring), [/192.0.2.1:6379 for shard1, no member/]);
  t.match(judgePlaces(at({ shard1: members }), ring), [/at once/]);
});

t.test('what each place names is read from its own form', async (t) => {
  const one = new Map([['shard1', ['127.0.0.1:7001']]]);
  t.strictSame(haproxyServers('backend shard1\n    server master 127.0.0.1:7001 check\n'), one);
  t.strictSame(twemproxyServers('  servers:\n    - 127.0.0.1:7001:1 shard1\n'), one);
  t.strictSame(appServers('{"masters":{"shard1":{"host":"127.0.0.1","port":7001,"replicas":[]}}}'), one);
  const state = '1\n# be_id be_name srv_id srv_name srv_addr srv_port\n3 shard1 1 master 127.0.0.1 7001\n\n';
  t.strictSame(runtimeServers(state), one);
});

t.test('a summary adds up what the rounds found', async (t) => {
  const tally = new Tally(7);
  const losses = { shard1: [{ writer: 'dns', lostAtMs: [1, 2], acknowledged: 10 }] };
  const round = { faults: ['a', 'b'], violations: [], end: 'whole' as const, losses, timeline: [], tookMs: 1 };
  tally.add(round);
  tally.add({ ...round, violations: ['DNS named a and b at once'] });
  t.match(tally.summary, { rounds: 2, faults: 4, violations: 1, broken: 1, writers: { dns: { lost: 4 } } });
  t.match(formatSummary(tally.summary), /--seed 7 --faults 4\nseed 7: 4 faults .* dns 4\/20$/);
  const broken = { ...round, violations: ['x'] };
  t.match(
    formatRound(broken, { round: 3, done: 4, wanted: 9, seed: 7 }),
    /^BROKEN .*\n {2}! x\n[\s\S]*--seed 7 --round 3$/,
  );
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
