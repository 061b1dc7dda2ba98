import { readFile } from 'node:fs/promises';
import t from 'tap';
import { diagnose, rules } from '../../lib/doctor/diagnose.ts';
import type { Examination } from '../../lib/doctor/examination.ts';
import { judgedCodes } from '../../lib/doctor/judgement.ts';
import { isolationFaults } from './isolation-faults.ts';
import {
  at,
  consul,
  dns,
  down,
  healthy,
  instances,
  maintained,
  master,
  of,
  opinion,
  opinions,
  reached,
  redis,
  sentinel,
  tuned,
} from './world.ts';

const many = Array.from({ length: 40 }, (_, i) => redis(i + 1));
/** Examinations with one fault each, and the rules that must find it. */
const faults: readonly (readonly [fault: string, examination: Examination, rules: readonly string[]])[] = [
  [
    'a Sentinel that does not answer',
    { ...opinions({ knownSentinels: 3 }, 2), sentinels: [sentinel(1), sentinel(2), { ...sentinel(3), state: down }] },
    ['sentinel-unreachable', 'sentinels-stale'],
  ],
  ['a Sentinel in TILT', { ...healthy, sentinels: [{ ...sentinel(1), tiltSince: 'unknown' }] }, ['sentinel-tilt']],
  ['one Sentinel', opinions({ quorum: 1 }, 1), ['sentinels-too-few']],
  ['two Sentinels', opinions({}, 2), ['sentinels-too-few']],
  ['four Sentinels', opinions({ quorum: 3 }, 4), ['sentinels-even']],
  ['a quorum above the majority', opinions({ quorum: 3 }), ['quorum-above-majority']],
  ['a quorum that is never reached', opinions({ quorum: 4 }), ['quorum-unreachable']],
  ['a quorum of one', opinions({ quorum: 1 }), ['quorum-of-one']],
  [
    'quorums that differ',
    of({ opinions: [opinion(1), opinion(2), opinion(3, { quorum: 1 })] }),
    ['quorum-differs', 'quorum-of-one'],
  ],
  [
    'Sentinels that disagree',
    of({ opinions: [opinion(1), opinion(2), opinion(3, { master: at(2) })] }),
    ['sentinels-disagree'],
  ],
  ['a Sentinel that is gone but still counted', opinions({ knownSentinels: 5, quorum: 3 }), ['sentinels-stale']],
  [
    'down-after that differs',
    of({ opinions: [opinion(1), opinion(2), opinion(3, { downAfterMs: 9_000 })] }),
    ['sentinel-settings-differ'],
  ],
  [
    'failover-timeout that differs',
    of({ opinions: [opinion(1), opinion(2), opinion(3, { failoverTimeoutMs: 9_000 })] }),
    ['sentinel-settings-differ'],
  ],
  [
    'a Redis that does not answer',
    instances(redis(1), redis(2), { address: at(3), expected: 'replica', state: down }),
    ['redis-unreached'],
  ],
  ['a role that differs', instances(redis(1), redis(2), redis(3, { role: 'master' })), ['replica-not-replicating']],
  ['a replica that takes writes', instances(redis(1), redis(2), tuned(3, { readOnly: false })), ['replica-writable']],
  ...isolationFaults,
  ['no replica', instances(tuned(1, { minReplicasToWrite: 0 })), ['master-without-replica']],
  [
    'masterauth missing',
    instances(tuned(1, { masterauthHash: undefined }), redis(2), redis(3)),
    ['masterauth-missing'],
  ],
  [
    'masterauth that is wrong',
    instances(redis(1), tuned(2, { masterauthHash: 'q' }), redis(3)),
    ['masterauth-differs'],
  ],
  ['a password missing', instances(redis(1), redis(2), tuned(3, { requirepassHash: undefined })), ['password-missing']],
  [
    'replicas that may not be promoted',
    instances(redis(1), tuned(2, { priority: 0 }), tuned(3, { priority: 0 })),
    ['priority-none'],
  ],
  [
    'candidates with less memory',
    instances(tuned(1, { maxMemory: 100 }), tuned(2, { maxMemory: 100 }), tuned(3, { maxMemory: 50 })),
    ['priority-equal-unlike'],
  ],
  [
    'candidates with another version',
    instances(redis(1), redis(2), redis(3, { version: '6.2.1' })),
    ['priority-equal-versions'],
  ],
  [
    'candidates of another program with the same version',
    instances(redis(1, { version: '8.0.2' }), redis(2, { version: '8.0.2' }), redis(3, { version: 'valkey 8.0.2' })),
    ['priority-equal-versions'],
  ],
  [
    'writes that stop after a failover',
    instances(tuned(1, { minReplicasToWrite: 2 }), redis(2), redis(3)),
    ['min-replicas-too-many'],
  ],
  [
    'writes that are refused',
    instances(tuned(1, { minReplicasToWrite: 3 }), redis(2), redis(3)),
    ['min-replicas-too-many'],
  ],
  [
    'one process with two addresses',
    instances(redis(1), redis(2), redis(3), redis(4, { runId: 'run3' })),
    ['announce-twins'],
  ],
  [
    'a replica that follows another address',
    instances(redis(1), redis(2), redis(3, { follows: { host: '172.17.0.2', port: 6379 } })),
    ['announce-mismatch'],
  ],
  [
    'hostnames and addresses',
    instances(redis(1), redis(2), redis(3, { address: { host: 'redis-3', port: 6379 }, runId: 'x' })),
    ['hostnames-mixed'],
  ],
  [
    'loopback beside others',
    opinions({
      replicas: [...opinion(1).replicas, { address: { host: '127.1', port: 6379 }, condition: 'up', runId: '' }],
    }),
    ['loopback-published'],
  ],
  [
    'a replica without its master',
    instances(redis(1), redis(2), redis(3, { link: 'down' })),
    ['replica-not-replicating'],
  ],
  [
    'a Redis that one Sentinel cannot reach',
    of({ opinions: [opinion(1), opinion(2), opinion(3, { condition: 's_down' })] }),
    ['master-suspected', 'sentinel-cannot-reach'],
  ],
  [
    'a Sentinel that another cannot reach',
    of({ opinions: [opinion(1), opinion(2), opinion(3, { peers: [{ address: at(1, 26379), condition: 's_down' }] })] }),
    ['sentinel-cannot-reach'],
  ],
  ['a down-after that is too short', opinions({ downAfterMs: 100 }), ['timeouts-unfit']],
  ['a down-after that is too long', opinions({ downAfterMs: 300_000 }), ['timeouts-unfit']],
  ['a failover-timeout that is too short', opinions({ failoverTimeoutMs: 1_000 }), ['timeouts-unfit']],
  ['nothing on disk', instances(tuned(1, { persists: false }), redis(2), redis(3)), ['no-persistence']],
  ['a save that failed', instances(redis(1), redis(2), redis(3, { saveFailed: true })), ['save-failed']],
  ['no config file', instances(redis(1, { configFile: 'none' }), redis(2), redis(3)), ['no-config-file']],
  ['a dotted name', of({ name: 'shard.1' }), ['name-not-dns']],
  [
    'names that collide',
    { ...healthy, masters: [master({ name: 'shard.1' }), master({ name: 'shard-1' })] },
    ['names-collide'],
  ],
  ['Consul down', consul({ state: down, leader: false }), ['consul-unreachable']],
  ['no leader', consul({ leader: false }), ['consul-unreachable']],
  ['Consul too old', consul({ version: '1.7.9' }), ['consul-too-old']],
  ['Consul too new', consul({ version: '2.0.0' }), ['consul-too-new']],
  [
    'small transactions',
    { ...consul({ version: '1.8.7' }), masters: [master({ instances: many })] },
    ['consul-small-transactions'],
  ],
  ['a DNS TTL', dns({ serviceTtlMs: { 'redis-master': 5_000 } }), ['dns-ttl']],
  ['a DNS TTL for all', dns({ serviceTtlMs: { '*': 5_000, 'redis-re*': 0 } }), ['dns-ttl']],
  ['a DNS TTL for nodes', dns({ nodeTtlMs: 1_000 }), ['dns-node-ttl']],
  ['only_passing', dns({ onlyPassing: true }), ['dns-only-passing']],
  [
    'a service that somebody else registered',
    consul({
      foreign: [
        { name: 'redis-master', id: 'left', node: 'web-1', address: '10.9.9.9', port: 6379, tags: ['shard1'] },
        { name: 'redis-master', id: 'other', node: 'web-1', address: '10.9.9.9', port: 6379, tags: ['elsewhere'] },
      ],
    }),
    ['foreign-instance'],
  ],
  ['DNS without rights', consul({ missingForDns: ['service "redis-master" read'] }), ['dns-denied']],
  ['all masters in maintenance', maintained(null, 'rubbish'), ['maintenance']],
  ['missing ACL rules', consul({ missingRules: ['key "redis/" write'] }), ['acl-missing']],
  ['a clock ahead', { ...healthy, clocks: [{ whose: 'a', aheadMs: 1_500, uncertaintyMs: 10 }] }, ['clock-skew']],
  ['a clock behind', { ...healthy, clocks: [{ whose: 'a', aheadMs: -9_000, uncertaintyMs: 10 }] }, ['clock-skew']],
];

t.test('a healthy stack has no faults', async (t) => {
  t.strictSame(diagnose(healthy), []);
  t.strictSame(diagnose({ ...healthy, sentinels: [], masters: [], clocks: [] }), []);
});

t.test('a rule reports nothing where it cannot read what it needs', async (t) => {
  const silent = instances(
    ...[1, 2, 3].map((last) => ({ address: at(last), expected: redis(last).expected, state: reached })),
  );
  t.strictSame(diagnose(silent), []);
  t.strictSame(diagnose(consul({ version: undefined, dns: undefined, missingRules: undefined })), []);
  t.strictSame(
    diagnose({ ...healthy, clocks: [{ whose: 'a', aheadMs: 1_500, uncertaintyMs: 900 }] }),
    [],
    'a slow answer',
  );
  t.strictSame(
    diagnose(instances(redis(1), tuned(2, { masterauthHash: undefined, hasMasterUser: true }), redis(3))),
    [],
  );
});

t.test('each fault is found by its own rule and no other, with a hint', async (t) => {
  for (const [fault, examination, rules] of faults) {
    const findings = diagnose(examination);
    t.strictSame([...new Set(findings.map(({ rule }) => rule))].sort(), [...rules].sort(), fault);
    for (const { text, hint, subject } of findings)
      t.ok(text.length > 10 && hint.length > 10 && !hint.includes('{') && subject !== '', fault);
  }
});

t.test('if most clocks are off by the same amount, the clock of this machine is named', async (t) => {
  const clock = (whose: string, aheadMs: number) => ({ whose, aheadMs, uncertaintyMs: 10 });
  const subjects = (...clocks: Examination['clocks']) => diagnose({ ...healthy, clocks }).map((one) => one.subject);
  t.strictSame(subjects(clock('a', 9_000), clock('b', 9_300), clock('c', 8_900)), ['this machine']);
  t.strictSame(subjects(clock('a', 9_000), clock('b', 9_300), clock('c', 90_000)), ['c', 'this machine']);
  t.strictSame(subjects(clock('a', 9_000), clock('b', 0), clock('c', 0)), ['a']);
  t.strictSame(subjects(clock('a', 9_000), clock('b', -9_000)), ['a', 'b']);
});

t.test('critical faults come before warnings', async (t) => {
  const findings = diagnose({
    ...dns({ onlyPassing: true }),
    masters: [master({ instances: [redis(1, { state: down })] })],
  });
  const severities = findings.map(({ severity }) => severity);
  t.strictSame(severities, severities.toSorted());
});

t.test('every rule of the doctor has a fault in this test; judgement.test.ts has those of the others', async (t) => {
  const found = new Set(faults.flatMap(([, , names]) => names));
  const own = [...found].filter((name) => !judgedCodes.some((code) => code === name));
  t.strictSame(rules.map(({ name }) => name).sort(), own.sort());
});
t.test('every rule is in the documentation', async (t) => {
  const text = await readFile(new URL('../../docs/reference/cli.md', import.meta.url), 'utf8');
  t.strictSame(
    [...rules.map(({ name }) => name), ...judgedCodes].filter((name) => !text.includes(`\`${name}\``)),
    [],
  );
});
