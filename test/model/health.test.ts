import t from 'tap';
import { type HealthCode, healthCodes, makeReason } from '../../lib/model/health.ts';
import { judgeReach, sentinelToAsk } from '../../lib/model/judgement/votes.ts';

const vote = (host: string, state: string) => ({
  ...{ address: { host, port: 7010 }, state, flags: [], replicas: [], epoch: 1, tiltSince: null, quorum: 2 },
  master: state === 'monitors' ? { host: '10.0.0.1', port: 6379 } : null,
});

const cases: readonly (readonly [code: HealthCode, hint: string])[] = [
  ['sentinels-lost', 'redis-cli -h 10.0.0.9 -p 7010 SENTINEL CKQUORUM m'],
  ['master-without-replica', 'redis-cli -h 10.0.0.9 -p 7010 SENTINEL REPLICAS m'],
  ['sentinels-disagree', 'redis-cli -h 10.0.0.9 -p 7010 SENTINEL MASTER m'],
  ['cluster-slots-uncovered', 'redis-cli --cluster check 10.0.0.9:7010'],
];

t.test('every code has a command to type, but for two notes about what passes by itself', async (t) => {
  const without = Object.entries(healthCodes).flatMap(([code, { hint }]) => (hint === null ? [code] : []));
  t.strictSame(without, ['master-failing-over', 'master-settling']);
});

t.test('what to type names a server that answers', async (t) => {
  const ask = { host: '10.0.0.9', port: 7010 };
  for (const [code, hint] of cases) {
    t.equal(makeReason({ code, subject: { kind: 'master', name: 'm' }, text: '', ask }).hint, hint);
  }
  const unasked = makeReason({ code: 'sentinels-lost', subject: { kind: 'master', name: 'm' }, text: '' });
  t.equal(unasked.hint, 'redis-cli -h 127.0.0.1 -p 26379 SENTINEL CKQUORUM m');
  const quoted = makeReason({ code: 'sentinels-lost', subject: { kind: 'master', name: "it's" }, text: '', ask });
  t.equal(quoted.hint, `redis-cli -h 10.0.0.9 -p 7010 SENTINEL CKQUORUM 'it'\\''s'`);
});

t.test('a Sentinel that is lost is not the one to ask', async (t) => {
  const votes = [vote('s1', 'unreachable'), vote('s2', 'unreachable'), vote('s3', 'monitors')];
  t.match(judgeReach('m', votes).at(-1), { code: 'sentinels-lost', hint: /-h s3 -p 7010 / });
  t.equal(sentinelToAsk([vote('s1', 'unreachable')]), undefined);
  t.equal(sentinelToAsk([vote('s1', 'unreachable'), vote('s2', 'unaware')])?.host, 's2');
});
