import t from 'tap';
import { type ClusterFailoverSituation, checkClusterFailover } from '../../lib/cluster/failover/check.ts';
import type { Address } from '../../lib/model/address.ts';
import type { ClusterNode, ClusterRecord, ClusterView } from '../../lib/model/cluster.ts';

const at = (letter: string): Address => ({ host: `10.0.0.${letter.charCodeAt(0) - 64}`, port: 7000 });
const slots = [{ from: 0, to: 16383 }];
/** A serves every slot; B and C replicate it. */
const shard = { slots, master: at('A'), replicas: [at('B'), at('C')] };
const record: ClusterRecord = {
  version: 1,
  name: 'sessions',
  epoch: 7,
  state: 'ok',
  uncovered: [],
  shards: [shard],
  changedAt: '2026-01-01T00:00:00.000Z',
  changedBy: 'follower',
};
const nodeOf = (letter: string, changes: Partial<ClusterNode> = {}): ClusterNode => ({
  id: letter,
  address: at(letter),
  role: letter === 'A' ? 'master' : 'replica',
  health: 'online',
  ...changes,
});
const viewOf = (nodes: readonly ClusterNode[]): ClusterView => ({
  nodeId: 'A',
  askedAt: at('A'),
  epoch: 7,
  state: 'ok',
  shards: [{ slots, nodes }],
});
const { epoch, state, uncovered } = record;
const keeps = (shards: ClusterRecord['shards']) =>
  ({ kind: 'keep', draft: { epoch, state, uncovered, shards }, moving: 'still', unwell: [] }) as const;
const inSync = { role: 'replica', link: 'connected', offset: 10 } as const;

const rows: readonly (readonly [
  string,
  Partial<ClusterFailoverSituation>,
  'ready' | { readonly waits: RegExp } | { readonly refused: RegExp },
])[] = [
  ['a replica in sync may take over', {}, 'ready'],
  ['its master is still that of the order', { from: at('A') }, 'ready'],
  [
    'its master changed since the order',
    { from: at('D') },
    { refused: /changed from 10\.0\.0\.4:7000 to 10\.0\.0\.1:7000/ },
  ],
  ['Consul cannot be read', { consulOutage: 'no leader' }, { refused: /Consul cannot be read: no leader/ }],
  [
    'it is the master',
    { node: at('A') },
    { refused: /is a master already; name one of its replicas \(10\.0\.0\.2:7000, / },
  ],
  [
    'it is no node of the cluster',
    { node: at('Z') },
    { refused: /not a replica of this cluster \(those are: 10\.0\.0\.2:7000/ },
  ],
  ['the cluster changed just now', { recordAgeMs: 59_999 }, { waits: /changed less than 60 s ago/ }],
  [
    'it was the master until now',
    { decision: keeps([shard, { slots: [], master: at('D'), replicas: [] }]), node: at('D') },
    { waits: /lists 10\.0\.0\.4:7000 as a master without slots/ },
  ],
  [
    'only the record lists it yet',
    { decision: keeps([{ ...shard, replicas: [at('C')] }]) },
    { waits: /does not list 10\.0\.0\.2:7000 as a replica/ },
  ],
  [
    'no majority answers',
    { decision: { kind: 'wait', why: 'no-majority', summary: 'no view has a majority' } },
    { waits: /no view has a majority/ },
  ],
  [
    'the record is not written yet',
    { decision: { ...keeps([shard]), kind: 'publish', why: 'replicas changed' } },
    { waits: /Consul does not have this record yet: replicas changed/ },
  ],
  ['its shard has no master', { decision: keeps([{ ...shard, master: null }]) }, { waits: /has no master/ }],
  [
    'its master is down by one node',
    { views: [viewOf([nodeOf('A', { health: 'fail' }), nodeOf('B')])] },
    { waits: /its master 10\.0\.0\.1:7000 is down/ },
  ],
  [
    'another master is down',
    { views: [viewOf([nodeOf('A'), nodeOf('B')]), viewOf([nodeOf('D', { health: 'fail' })])] },
    'ready',
  ],
  [
    'its master takes it for a master still',
    { views: [viewOf([nodeOf('A'), nodeOf('B', { role: 'master' }), nodeOf('C')])] },
    { waits: /10\.0\.0\.1:7000 does not list it as its replica yet/ },
  ],
  [
    'its master does not answer',
    { views: [{ ...viewOf([nodeOf('A'), nodeOf('B')]), nodeId: 'C', askedAt: at('C') }] },
    { waits: /does not list it as its replica yet/ },
  ],
  ['it does not answer', { replication: undefined }, { waits: /does not answer/ }],
  [
    'its link is down',
    { replication: { ...inSync, link: 'connecting' } },
    { waits: /not in sync .* its link is connecting/ },
  ],
  [
    'it answers as a master',
    { replication: { role: 'master', offset: 1, acknowledged: new Set() } },
    { waits: /answers as a master/ },
  ],
];
for (const [when, given, expected] of rows) {
  t.test(`whether a replica of a cluster may take over: ${when}`, async (t) => {
    const check = checkClusterFailover({
      decision: keeps([shard]),
      views: [viewOf([nodeOf('A'), nodeOf('B'), nodeOf('C')])],
      record,
      node: at('B'),
      replication: inSync,
      from: undefined,
      recordAgeMs: 60_000,
      settledAfterMs: 60_000,
      consulOutage: undefined,
      ...given,
    });
    if (expected === 'ready') t.match(check, { kind: 'ready', from: at('A'), epoch: 7 });
    else if ('waits' in expected) t.match(check, { kind: 'waiting', why: expected.waits });
    else t.match(check, { kind: 'refused', why: expected.refused });
  });
}
