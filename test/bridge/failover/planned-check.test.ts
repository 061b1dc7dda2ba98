import t from 'tap';
import { checkPlanned } from '../../../lib/bridge/failover/planned-check.ts';
import type { ReplicaView, SentinelView } from '../../../lib/model/sentinel.ts';
import { at, record, view } from '../plan/world.ts';

const five = record('A', { epoch: 5, replicas: [at('B'), at('C')] });
const seen = (b: ReplicaView['condition'], c: ReplicaView['condition']) => [
  { address: at('B'), condition: b },
  { address: at('C'), condition: c },
];
const three = (changes: Partial<SentinelView> = {}) =>
  [1, 2, 3].map((n) => view(n, 'A', 5, { replicas: seen('up', 'up'), ...changes }));

type Given = Partial<Parameters<typeof checkPlanned>[0]>;
const rows: readonly (readonly [
  string,
  Given,
  readonly string[] | RegExp | { readonly unsettled: readonly string[] } | { readonly waits: RegExp },
])[] = [
  ['all is well: every replica in sync is a candidate', {}, ['B', 'C']],
  ['the chosen successor is one of them', { successor: at('C') }, ['B', 'C']],
  ['two of three Sentinels agree', { views: three().slice(0, 2) }, ['B', 'C']],
  [
    'a replica that every Sentinel sees down is no candidate',
    { views: three({ replicas: seen('up', 's_down') }) },
    ['B'],
  ],
  [
    'a replica with priority 0 is no candidate',
    {
      views: three({
        replicas: [
          { address: at('B'), condition: 'up' },
          { address: at('C'), condition: 'link-down', priority: 0 },
        ],
      }),
    },
    ['B'],
  ],
  [
    'Sentinel could select a replica whose link is down',
    { views: three({ replicas: seen('up', 'link-down') }) },
    { unsettled: ['C'] },
  ],
  [
    'one Sentinel still believes that a replica is a master',
    { views: [...three().slice(0, 2), view(3, 'A', 5, { replicas: seen('up', 'master') })] },
    { unsettled: ['C'] },
  ],
  [
    'Sentinel could select a replica that the record does not name',
    { record: { ...five, replicas: [at('B')] } },
    ['B', 'C'],
  ],
  [
    'a Sentinel cannot be read, and the last failover is recent',
    { views: three().slice(0, 2), recordAgeMs: 19_000 },
    { unsettled: [] },
  ],
  [
    'one Sentinel has not seen a replica up',
    { views: [...three().slice(0, 2), view(3, 'A', 5, { replicas: seen('up', 'unlinked') })] },
    { unsettled: ['C'] },
  ],
  [
    'a replica that no Sentinel lists is no candidate',
    { record: { ...five, replicas: [at('B'), at('D')] } },
    ['B', 'C'],
  ],
  ['there is no record', { record: undefined }, { waits: /no record yet/ }],
  [
    'a failover is not confirmed',
    { record: { ...five, phase: 'promoted' } },
    { waits: /epoch 5 is not confirmed yet/ },
  ],
  ['only one Sentinel answers', { views: three().slice(0, 1) }, { waits: /no majority .*1 of 3 Sentinels answered/ }],
  ['the Sentinels have another epoch', { views: [1, 2, 3].map((n) => view(n, 'A', 6)) }, { waits: /no majority/ }],
  ['the Sentinels have another master', { views: [1, 2, 3].map((n) => view(n, 'B', 5)) }, { waits: /no majority/ }],
  [
    'one sees the master down',
    { views: [...three().slice(0, 2), view(3, 'A', 5, { condition: 's_down' })] },
    { waits: /10\.0\.1\.3:26379 says that the master is s_down/ },
  ],
  [
    'one fails over',
    { views: [...three().slice(0, 2), view(3, 'A', 5, { condition: 'failover' })] },
    { waits: /is failover/ },
  ],
  [
    'no replica is in sync',
    { views: three({ replicas: seen('s_down', 's_down') }) },
    { waits: /no replica is up and in sync .*10\.0\.0\.2:6302 is s_down by the Sentinels; 10\.0\.0\.3:6303 is s_down/ },
  ],
  ['the Sentinels list no replica', { views: three({ replicas: [] }) }, { waits: /\(they list none\)/ }],
  [
    'every replica has priority 0',
    { views: three({ replicas: [{ address: at('B'), condition: 'up', priority: 0 }] }) },
    { waits: /10\.0\.0\.2:6302 is of priority 0/ },
  ],
  ['the master is still that of the order', { from: at('A') }, ['B', 'C']],
  [
    'the master changed since the order',
    { from: at('B') },
    /changed from 10\.0\.0\.2:6302 to 10\.0\.0\.1:6301 since the order/,
  ],
  [
    'the chosen successor is listed, and not up yet',
    { successor: at('C'), views: three({ replicas: seen('up', 'unlinked') }) },
    { unsettled: ['C'] },
  ],
  [
    'the chosen successor is no replica',
    { successor: at('D') },
    /10\.0\.0\.4:6304 is not a replica .* \(those are: 10\.0\.0\.2:6302, 10\.0\.0\.3:6303\)/,
  ],
  [
    'the chosen successor is down',
    { successor: at('C'), views: three({ replicas: seen('up', 's_down') }) },
    { waits: /10\.0\.0\.3:6303 is s_down by the Sentinels \(up and in sync are: 10\.0\.0\.2:6302\)/ },
  ],
  [
    'the chosen successor has priority 0',
    { successor: at('B'), views: three({ replicas: [{ address: at('B'), condition: 'up', priority: 0 }] }) },
    { waits: /10\.0\.0\.2:6302 is of priority 0 \(never promoted\) by the Sentinels \(up and in sync are: none\)/ },
  ],
  ['the chosen successor is the master', { successor: at('A') }, /10\.0\.0\.1:6301 is its master already/],
  ['the record cannot be written', { consulOutage: 'Consul is gone' }, /Consul is gone/],
  [
    'the master is in maintenance',
    { maintenance: { kind: 'on', why: 'A is in maintenance: by ops, without an end' } },
    /^A is in maintenance: by ops, without an end; name the replica \(--replica\), or end it/,
  ],
  [
    'the master is in maintenance, and the operator names the replica',
    { maintenance: { kind: 'on', why: 'A is in maintenance' }, successor: at('C') },
    ['B', 'C'],
  ],
  [
    'Consul has not answered yet whether the master is in maintenance',
    { maintenance: { kind: 'unread', why: 'Consul has not said it yet' }, successor: at('C') },
    { waits: /Consul has not said it yet/ },
  ],
];
for (const [when, given, expected] of rows) {
  t.test(`whether a planned failover may start: ${when}`, async (t) => {
    const check = checkPlanned({
      record: five,
      views: three(),
      knownSentinels: 3,
      recordAgeMs: 60_000,
      maintenance: { kind: 'off' },
      successor: undefined,
      consulOutage: undefined,
      from: undefined,
      ...given,
    });
    if (expected instanceof RegExp) t.match(check, { kind: 'refused', why: expected });
    else if ('waits' in expected) t.match(check, { kind: 'waiting', why: expected.waits });
    else if ('unsettled' in expected)
      t.strictSame(check.kind === 'unsettled' ? check.unsettled : check, expected.unsettled.map(at));
    else t.strictSame(check.kind === 'ready' ? check.candidates : check, expected.map(at));
  });
}
