import t from 'tap';
import { judge } from '../../../lib/daemon/health/health.ts';
import { SwitchmasterError } from '../../../lib/errors.ts';
import type { InstanceState, OutcomeState } from '../../../lib/http/views.ts';
import type { Health } from '../../../lib/model/health.ts';
import { masterChangeOutputs } from '../../../lib/model/instance-check.ts';
import { brokenCluster, masterAt, templateOf } from '../../http/page/world.ts';
import { type ExampleContents, exampleViews } from '../../http/views.ts';

const since = '2026-01-01T00:00:00.000Z';

const judged = (contents: ExampleContents, over: Partial<Parameters<typeof judge>[0]> = {}): Health =>
  judge({
    views: exampleViews(contents),
    consul: { kind: 'reached' },
    config: { kind: 'current' },
    interfaces: { kind: 'read' },
    journal: { kind: 'kept' },
    denied: [],
    nowMs: Date.parse('2026-01-02T00:00:00.000Z'),
    ignoredKeys: [],
    ...over,
  });

const codesOf = ({ reasons }: Health) =>
  reasons.map(({ code, level, subject: { kind, name } }) => `${level} ${code} ${kind}/${name}`);

const outcome = (kind: OutcomeState['kind'], summary: string): OutcomeState => ({
  ...{ kind, summary, at: since, reconcileId: 'a', durationMs: 1, failures: 0, error: null },
});

const instanceOf = (check: InstanceState['check']): InstanceState => ({
  ...{
    id: 'redis-1',
    kind: 'redis',
    name: 'shard1',
    address: { host: '10.0.0.1', port: 6379 },
    socket: null,
    role: 'master',
  },
  ...{ version: null, check, seenAt: null },
});

t.test('all is well if nothing is wrong', async (t) => {
  t.strictSame(judged({ masters: [masterAt(1)], templates: [templateOf()] }), { level: 'well', reasons: [] });
});

t.test('the level is that of the worst reason, which comes first', async (t) => {
  const health = judged({
    masters: [
      masterAt(2, { check: { status: 'critical', output: 'Sentinel: o_down' } }),
      masterAt(1, { record: null }),
    ],
    readiness: { missing: () => ['bridge: record of shard1'] },
  });
  t.equal(health.level, 'critical');
  t.strictSame(codesOf(health), [
    'critical master-down master/shard2',
    'unknown not-ready part/bridge',
    'unknown master-unrecorded master/shard1',
  ]);
});

t.test('each reason says what to type, and where it is explained', async (t) => {
  const [reason] = judged({ masters: [masterAt(1, { check: { status: 'critical', output: 'o_down' } })] }).reasons;
  t.match(reason, {
    text: 'Its check is critical: o_down.',
    hint: 'switchmaster why shard1',
    doc: 'docs/guide/operations.md#master-down',
  });
});

t.test('a journal whose file fails names the folder to check', async (t) => {
  const journal = { kind: 'failing', path: '/var/lib/my journal/j', since, message: 'ENOSPC' } as const;
  const { reasons } = judged({}, { journal });
  t.match(reasons, [
    {
      code: 'journal-unwritable',
      level: 'warning',
      subject: { kind: 'part', name: 'journal' },
      hint: "df -h '/var/lib/my journal'; ls -ld '/var/lib/my journal'",
    },
  ]);
});

t.test('a Consul that cannot be read, and a config that was refused', async (t) => {
  const health = judged(
    {},
    {
      consul: { kind: 'lost', since, message: 'refused' },
      config: { kind: 'refused', running: '2025-01-01T00:00:00.000Z', since, message: 'bogus: unknown' },
    },
  );
  t.strictSame(codesOf(health), ['critical consul-unreachable consul/consul', 'warning config-refused config/config']);
  t.match(health.reasons, [
    { text: /since 2026.*refused/ },
    { text: /^Running with the config of 2025.*; the one on disk is refused since 2026.*: bogus: unknown/ },
  ]);
});

t.test('what Consul hides from the token', async (t) => {
  const error = new SwitchmasterError('consul-denied', 'Consul hides service(web) from the token.');
  const health = judged({}, { denied: [{ query: 'service(web)', error }] });
  t.strictSame(codesOf(health), ['critical consul-denied consul/service(web)']);
  t.match(health.reasons, [{ text: /hides service\(web\)/, hint: 'switchmaster acl' }]);
  const partly = judged({}, { denied: [{ query: 'key', error, needed: 'for a part of the work' }] });
  t.strictSame(codesOf(partly), ['warning right-missing consul/key']);
});

t.test('network interfaces that cannot be listed', async (t) => {
  const health = judged({}, { interfaces: { kind: 'unreadable', message: 'EAFNOSUPPORT' } });
  t.strictSame(codesOf(health), ['warning interfaces-unreadable part/registrar']);
  t.match(health.reasons, [{ text: /EAFNOSUPPORT/ }]);
});

t.test('Sentinels that do not answer, where they are the reason why no master is known', async (t) => {
  const error = 'is a Redis, not a Sentinel';
  const [down, up] = [26379, 26380].map((port) => ({ address: { host: '10.0.0.1', port }, id: null }));
  if (down === undefined || up === undefined) throw new Error('two');
  const sentinels = [
    { ...down, up: false, error },
    { ...up, up: true, error: null },
  ];
  const health = judged({ sentinels });
  t.strictSame(codesOf(health), ['warning sentinel-unreachable part/bridge']);
  t.match(health.reasons, [{ text: 'Sentinel 10.0.0.1:26379 cannot be reached (is a Redis, not a Sentinel).' }]);
  t.strictSame(judged({ sentinels, masters: [masterAt(1)] }).reasons, [], 'its masters say it otherwise');
});

t.test('a key in desired/ that cannot be carried out', async (t) => {
  const outcomes = { last: (loop: string) => (loop === 'provisioner' ? outcome('held', 'no pattern') : undefined) };
  t.strictSame(codesOf(judged({ desired: ['cache'], outcomes })), ['warning desired-held desired/cache']);
});

t.test('a cluster without some of its slots, and without a replica', async (t) => {
  t.strictSame(codesOf(judged({ clusters: [brokenCluster] })), [
    'critical cluster-failed cluster/sessions',
    'critical cluster-slots-uncovered cluster/sessions',
    'warning cluster-without-replica cluster/sessions',
  ]);
  const unwell = [{ address: { host: '10.0.0.3', port: 7000 }, health: 'fail' as const }];
  t.ok(
    codesOf(judged({ clusters: [{ ...brokenCluster, unwell }] })).includes(
      'warning cluster-node-down cluster/sessions',
    ),
  );
  t.strictSame(codesOf(judged({ clusters: [{ ...brokenCluster, record: null }] })), [
    'unknown cluster-unrecorded cluster/sessions',
  ]);
});

t.test('an instance by its check', async (t) => {
  const cases = [
    [null, 'unknown instance-unchecked'],
    [{ status: 'passing', output: 'up' }, undefined],
    [{ status: 'warning', output: 'slow' }, 'warning instance-warning'],
    [{ status: 'critical', output: 'dead' }, 'critical instance-critical'],
  ] as const;
  for (const [check, expected] of cases) {
    const codes = codesOf(judged({ instances: [instanceOf(check)] }));
    t.strictSame(codes, expected === undefined ? [] : [`${expected} instance/redis-1`]);
  }
});

t.test('what to type about an instance asks the instance', async (t) => {
  const hintOf = (change: Partial<InstanceState>) => {
    const instance = { ...instanceOf({ status: 'critical', output: 'dead' }), ...change };
    return judged({ instances: [instance] }).reasons[0]?.hint;
  };
  t.equal(hintOf({}), 'redis-cli -h 10.0.0.1 -p 6379 INFO replication');
  t.equal(hintOf({ kind: 'sentinel' }), 'redis-cli -h 10.0.0.1 -p 6379 INFO sentinel');
  t.equal(
    hintOf({ socket: '/run/my redis.sock', address: null }),
    "redis-cli -s '/run/my redis.sock' INFO replication",
  );
  t.equal(hintOf({ kind: 'twemproxy' }), 'switchmaster check --online');
});

t.test('an instance whose registration Consul refuses', async (t) => {
  const stops = (code: string) => ({
    last: (loop: string) =>
      loop === 'registrar'
        ? { ...outcome('failed', 'no'), error: { code, message: 'Missing service:write' } }
        : undefined,
  });
  const instances = [instanceOf({ status: 'passing', output: 'up' })];
  const codes = (code: string) => codesOf(judged({ instances, outcomes: stops(code) }));
  t.strictSame(codes('consul-denied'), ['warning instance-warning instance/redis-1']);
  t.strictSame(codes('consul-unreachable'), [], 'the state of Consul is a reason of its own');
});

t.test('a warning about a role or a link is a note while the master changes, and no other is', async (t) => {
  const [steady] = [masterAt(1)];
  const record = steady.record && { ...steady.record, previous: { host: '10.0.0.9', port: 1 } };
  const changed = masterAt(1, { record: record && { ...record, changedAt: '2026-01-01T23:59:50.000Z' } });
  const codes = (output: string, master = changed, status: 'warning' | 'critical' = 'warning') =>
    codesOf(judged({ masters: [master], instances: [instanceOf({ status, output })] }));
  for (const output of Object.values(masterChangeOutputs)) {
    t.strictSame(codes(output), ['well instance-warning instance/redis-1'], output);
    t.strictSame(codes(output, steady), ['warning instance-warning instance/redis-1'], output);
    t.strictSame(codes(output, changed, 'critical'), ['critical instance-critical instance/redis-1'], output);
  }
  t.strictSame(codes('memory is full'), ['warning instance-warning instance/redis-1']);
});

t.test('each warning of a template is a reason beside its state', async (t) => {
  const templates = [templateOf({ state: 'current', warnings: ['One.', 'Two.'] })];
  t.strictSame(codesOf(judged({ templates })), Array(2).fill('warning template-warning template/haproxy.cfg'));
});

t.test('a template by its state; one that waits for its turn is well', async (t) => {
  const cases = [
    ['current', undefined],
    ['debounced', undefined],
    ['queued', undefined],
    ['write', undefined],
    ['new', 'unknown template-pending'],
    ['pending', 'unknown template-pending'],
    ['held', 'warning template-held'],
    ['refused', 'critical template-refused'],
    ['invalid', 'critical template-invalid'],
    ['failed', 'critical template-failed'],
  ] as const;
  const outcomes = { last: () => outcome('held', 'it waits') };
  for (const [state, expected] of cases) {
    const codes = codesOf(judged({ templates: [templateOf({ state })], outcomes }));
    t.strictSame(codes, expected === undefined ? [] : [`${expected} template/haproxy.cfg`], state);
  }
});

t.test('a template that waits says for what', async (t) => {
  const templates = [templateOf({ state: 'pending', missing: ['service(web)'] })];
  t.match(judged({ templates }).reasons, [{ text: 'It waits for service(web).' }]);
});
