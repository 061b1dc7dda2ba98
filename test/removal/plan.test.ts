import t from 'tap';
import { type ClusterRecord, formatClusterRecord } from '../../lib/model/cluster.ts';
import { formatRecord, type MasterRecord, parseRecord } from '../../lib/model/record.ts';
import { planRemoval } from '../../lib/removal/plan/plan.ts';
import type { AskedSentinel, RemovableNode, RemovalSnapshot } from '../../lib/removal/plan/snapshot.ts';

const one = { host: '10.0.0.1', port: 6379 };
const two = { host: '10.0.0.2', port: 6379 };
const record = formatRecord({
  ...({ version: 1, name: 'm', generation: 1, epoch: 7, phase: 'confirmed', master: one, replicas: [two] } as const),
  ...{ previous: null, reason: 'failover', changedAt: '2026-11-29T00:00:00.000Z', changedBy: 'web-1/1' },
});
const key = (name: string, value = '', session?: string) => {
  return { key: name, value, modifyIndex: 5, ...(session === undefined ? {} : { session }) };
};
const ownKeys = [key('redis/record/m', record), key('redis/master/m', '10.0.0.1:6379'), key('redis/master/m/host')];
const service = (id: string, name: string) => ({ id, name, modifyIndex: 6 });
const node: RemovableNode = {
  ...({ node: 'redis-m', modifyIndex: 7, owner: 'ours' } as const),
  services: [service('redis-master', 'redis-master'), service('redis-replica-10.0.0.2:6379', 'redis-replica')],
};
const at = (host: string) => ({ host, port: 26379 });
const unaware: AskedSentinel = { address: at('s1'), state: 'unaware' };
const monitors: AskedSentinel = { address: at('s2'), state: 'monitors', master: one };
const nameless: AskedSentinel = { address: at('s4'), state: 'monitors', master: undefined };
const unreadable: AskedSentinel = { address: at('s5'), state: 'unreadable', why: 'NOAUTH' };
const silent: AskedSentinel = { address: at('s3'), state: 'unreachable', why: 'no answer' };

function plan(over: Partial<RemovalSnapshot> = {}, unreachableSentinels: 'gone' | 'monitoring' = 'monitoring') {
  const base: RemovalSnapshot = {
    ...({ naming: { environment: undefined }, name: 'm', subject: 'master', sentinels: [unaware] } as const),
    ...{ sentinelOptions: [], keys: ownKeys, nodes: [node], registered: [], mentions: [], hidden: [] },
    recorded: ['a', 'm'],
  };
  return planRemoval({ ...base, ...over }, { unreachableSentinels });
}

const refusals = (...given: Parameters<typeof plan>) => plan(...given).refusals.map(({ text }) => text);

t.test('commands are for the namespace of the config', async (t) => {
  const scope = { namespace: 'team', settings: [] };
  const monitors = { address: { host: '10.0.0.9', port: 26379 }, state: 'monitors', master: undefined } as const;
  const keys = [...ownKeys, { key: 'redis/desired/m', value: '{}', modifyIndex: 5 }];
  const commands = plan({ scope, keys, sentinels: [monitors] }).refusals.flatMap((refusal) => refusal.commands);
  t.match(commands, ['consul kv delete -namespace=team redis/desired/m']);
});

t.test('every step checks what was read, and the record comes first', async (t) => {
  t.strictSame(plan().refusals, []);
  t.strictSame(plan().steps, [
    { kind: 'kv-delete-cas', key: 'redis/record/m', index: 5 },
    { kind: 'kv-delete-cas', key: 'redis/master/m', index: 5 },
    { kind: 'kv-delete-cas', key: 'redis/master/m/host', index: 5 },
    { kind: 'service-delete-cas', node: 'redis-m', serviceId: 'redis-master', name: 'redis-master', index: 6 },
    {
      ...({ kind: 'service-delete-cas', node: 'redis-m', serviceId: 'redis-replica-10.0.0.2:6379' } as const),
      ...{ name: 'redis-replica', index: 6 },
    },
    { kind: 'node-delete-cas', node: 'redis-m', index: 7 },
  ]);
});

t.test('the preview names each thing with its content', async (t) => {
  const extra = [
    key('redis/desired/m', '{"host":"10.0.0.1","port":6379,"quorum":2,"options":{"auth-pass":"x"}}'),
    key('redis/provisioned/m', '{"hash":"secret"}'),
    key('redis/maintenance/m', '{"by":"ops"}'),
    key('redis/steering/m/.holders', '[]'),
    key('redis/crash/order/m', '{}'),
    key('redis/crash/evidence/m/web-1', '{}', 'session'),
  ];
  t.strictSame(
    plan({ keys: [...ownKeys.slice(0, 2), ...extra] }).removes.map(({ what, id, content }) => [what, id, content]),
    [
      ['record', 'redis/record/m', '10.0.0.1:6379, epoch 7'],
      ['key', 'redis/master/m', '10.0.0.1:6379'],
      ['desired', 'redis/desired/m', '10.0.0.1:6379, quorum 2'],
      ['note', 'redis/provisioned/m', ''],
      ['note', 'redis/maintenance/m', ''],
      ['lock', 'redis/steering/m/.holders', ''],
      ['crash', 'redis/crash/order/m', ''],
      ['crash', 'redis/crash/evidence/m/web-1', ''],
      ['service', 'redis-m/redis-master', ''],
      ['service', 'redis-m/redis-replica-10.0.0.2:6379', ''],
      ['node', 'redis-m', ''],
    ],
  );
  t.equal(plan({ keys: [key('redis/record/m', 'x')] }).removes[0]?.content, 'not a record');
});

t.test('it refuses while a Sentinel monitors the master, with the commands to type', async (t) => {
  t.strictSame(plan({ sentinels: [unaware, monitors] }).refusals, [
    {
      text: 'a Sentinel still monitors m: s2:26379 (master 10.0.0.1:6379)',
      commands: ['redis-cli -h s2 -p 26379 sentinel remove m'],
    },
  ]);
  const odd = { name: "it's", sentinels: [monitors], sentinelOptions: ['--tls', '--user', 'a b', '--askpass'] };
  t.strictSame(plan(odd).refusals[0]?.commands, [
    `redis-cli -h s2 -p 26379 --tls --user 'a b' --askpass sentinel remove 'it'\\''s'`,
  ]);
});

t.test('a master that is desired would be monitored again: its key is deleted first', async (t) => {
  const [refusal] = plan({ sentinels: [monitors], keys: [...ownKeys, key('redis/desired/m', '{}')] }).refusals;
  t.match(refusal?.text, /, and redis\/desired\/m has a bridge monitor it again$/);
  t.equal(refusal?.commands[0], 'consul kv delete redis/desired/m');
});

t.test('it refuses where a Sentinel does not answer, until the operator says that it is gone', async (t) => {
  t.match(refusals({ sentinels: [unaware, silent] }), [
    /cannot ask the Sentinel s3:26379 .*no answer.*--ignore-unreach/,
  ]);
  t.strictSame(refusals({ sentinels: [unaware, silent] }, 'gone'), []);
  t.match(refusals({ sentinels: [monitors, silent] }, 'gone'), [/still monitors/], 'one that answers counts');
  t.match(refusals({ sentinels: [] }), [/this config names no Sentinel/]);
});

t.test('a Sentinel that answers but may monitor the master is in the way whatever the operator permits', async (t) => {
  for (const permission of ['gone', 'monitoring'] as const) {
    const [refused, ...more] = refusals({ sentinels: [unaware, unreadable] }, permission);
    t.match(refused, /^the Sentinel s5:26379 answers, .* whether it monitors m \(NOAUTH\): set the user/);
    t.notMatch(refused, /--ignore-unreachable/);
    t.strictSame(more, []);
    t.match(refusals({ sentinels: [nameless] }, permission), [/still monitors m: s4:26379 \(master without a usable/]);
  }
});

t.test('it refuses while a failover of the master is under way', async (t) => {
  const lock = key('redis/steering/m/1234', '{"holder":"web-1/77"}', '1234');
  t.match(refusals({ keys: [...ownKeys, lock] }), [/failover of m is under way: web-1\/77 holds/]);
  t.strictSame(refusals({ keys: [...ownKeys, key('redis/steering/m/.holders', '[]')] }), []);
  const other = key('redis/crash/evidence/m/web-1', '{}', 'session');
  t.strictSame(refusals({ keys: [...ownKeys, other] }), [], 'a note with a session is no lock');
});

t.test('a node with services of somebody else stays, and so does a node of somebody else', async (t) => {
  const shared = plan({ nodes: [{ ...node, services: [...node.services, service('metrics', 'metrics')] }] });
  t.notOk(shared.steps.some(({ kind }) => kind === 'node-delete-cas'));
  t.equal(shared.steps.filter(({ kind }) => kind === 'service-delete-cas').length, 2);
  t.match(shared.remains, [{ id: 'service redis-m/metrics' }]);
  const foreign = plan({ nodes: [{ ...node, owner: 'other' }] });
  t.ok(foreign.steps.every(({ kind }) => kind === 'kv-delete-cas'));
  t.match(foreign.remains, [{ id: 'node redis-m' }]);
});

t.test('the preview names what stays, and that files are held after the last master', async (t) => {
  const remains = (over: Partial<RemovalSnapshot>) => plan(over).remains.map(({ id }) => id);
  t.strictSame(remains({ mentions: ['register[0]', 'templates[1].vars.ports.m'] }), [
    'register[0]',
    'templates[1].vars.ports.m',
  ]);
  t.strictSame(remains({ recorded: ['m'] }), ['rendered files']);
  t.strictSame(remains({ hidden: ['Consul refuses the token for key(redis/desired/m)'] }), ['not read']);
});

t.test('a cluster is refused while this node follows it, whatever its Sentinels', async (t) => {
  const cluster = {
    subject: 'cluster',
    name: 'c',
    sentinels: [],
    nodes: [],
    keys: [key('redis/cluster/c', '{}')],
  } as const;
  t.strictSame(refusals(cluster), []);
  t.strictSame(plan(cluster).steps, [{ kind: 'kv-delete-cas', key: 'redis/cluster/c', index: 5 }]);
  t.match(refusals({ ...cluster, mentions: ['cluster[1]', 'register[0]'] }), [
    /^cluster\[1\] of this node's config follows c/,
  ]);
});

t.test('a cluster of a former environment is removed only if the present one follows it', async (t) => {
  const shards = (...hosts: readonly string[]) =>
    hosts.map((host) => ({ slots: [{ from: 0, to: 16_383 }], master: { host, port: 7000 }, replicas: [] }));
  const present: ClusterRecord = {
    ...({ version: 1, name: 'c', epoch: 7, state: 'ok', uncovered: [], shards: shards('10.0.0.1') } as const),
    ...{ changedAt: '2026-11-29T00:00:00.000Z', changedBy: 'web-1/1' },
  };
  const former = (record: ClusterRecord | undefined) =>
    plan({
      ...({ subject: 'cluster', name: 'c', sentinels: [], nodes: [] } as const),
      keys: [key('redis/cluster/c', formatClusterRecord(present))],
      successor: { naming: { environment: 'live' }, record, desired: 'absent' },
    });
  t.match(former(present), { refusals: [], isMoved: true, steps: [{ key: 'redis/cluster/c' }] });
  const wrong = [
    [undefined, /c has no record in environment live.*redis\/live\/cluster\/c/],
    [{ ...present, shards: shards('10.0.0.9') }, /no server in common .* are two clusters/],
    [{ ...present, epoch: 6 }, /is newer .* may still follow c$/],
  ] as const;
  for (const [record, text] of wrong) t.match(former(record).refusals, [{ text }]);
});

t.test('names with odd characters and environments have their own keys', async (t) => {
  const naming = { environment: 'e' };
  const keys = [key('redis/e/record/a%2Fb', '{}'), key('redis/e/steering/a%2Fb/s', '{"holder":"h"}', 's')];
  t.match(plan({ naming, name: 'a/b', keys }), {
    removes: [{ what: 'record' }, { what: 'lock' }],
    refusals: [{ text: /failover of a\/b is under way/ }],
  });
});

t.test(
  'a master of a former environment is removed while the Sentinels monitor it, if the present one follows it',
  async (t) => {
    const naming = { environment: 'live' };
    const present = parseRecord(record) as MasterRecord;
    const follows = { naming, record: present, desired: 'absent' } as const;
    const former = (over: Partial<RemovalSnapshot>) => refusals({ sentinels: [], successor: follows, ...over });
    const other = (text: Partial<MasterRecord>) => ({ ...follows, record: { ...present, ...text } });
    const three = { host: '10.0.0.3', port: 6379 };
    t.strictSame(former({}), []);
    t.equal(plan({ sentinels: [], successor: follows }).steps.length, plan().steps.length);
    t.strictSame(former({ successor: other({ epoch: 9, master: two, replicas: [one] }) }), [], 'after a failover');
    t.strictSame(former({ successor: other({ master: three, replicas: [], previous: one }) }), []);
    t.strictSame(former({ keys: ownKeys.slice(1) }), [], 'what is left without a record');
    const changedAt = '2026-11-30T00:00:00.000Z';
    for (const generation of [1, 2])
      t.strictSame(
        former({ successor: other({ generation, epoch: 0, changedAt }) }),
        [],
        'Sentinels that were rebuilt',
      );
    const wrong: readonly (readonly [Partial<RemovalSnapshot>, RegExp])[] = [
      [{ successor: { ...follows, record: undefined } }, /m has no record in environment live.*redis\/live\/record\/m/],
      [
        { successor: other({ master: three, replicas: [] }) },
        /no server in common without an environment .* are two masters/,
      ],
      [
        { successor: other({ epoch: 6 }) },
        /without an environment is newer \(epoch 7 of .*, in environment live 6 of .* there may still follow m$/,
      ],
      [{ successor: other({ epoch: 6, generation: 2, changedAt: '2026-11-28T00:00:00.000Z' }) }, /is newer/],
      [{ keys: [...ownKeys, key('redis/steering/m/s', '{"holder":"h"}', 's')] }, /failover of m is under way/],
    ];
    for (const [over, text] of wrong) t.match(former(over), [text]);
    const desired = { keys: [...ownKeys, key('redis/desired/m', '{}')] };
    t.match(plan({ ...desired, successor: follows }).refusals, [
      { commands: ['consul kv get redis/desired/m | consul kv put redis/live/desired/m -'] },
    ]);
    t.strictSame(former({ ...desired, successor: { ...follows, desired: 'present' } }), []);
  },
);
