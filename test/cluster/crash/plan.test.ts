import t from 'tap';
import { type ClusterCrashSituation, decideClusterCrash } from '../../../lib/cluster/crash/plan.ts';
import type { ClusterPeer, NodeReading, NodeReplication } from '../../../lib/model/cluster-crash.ts';
import type { JudgingBridge } from '../../../lib/model/crash.ts';
import type { ConnectionState } from '../../../lib/model/crash-proof.ts';

/* Masters a, b and c; a is dead. x and y are its replicas. */
const at = (id: string) => ({ host: `10.0.0.${id.charCodeAt(0)}`, port: 7000 });
const ids = ['a', 'b', 'c', 'x', 'y'];
const replicaIds = ['x', 'y'];

type PeerChanges = Readonly<Record<string, Partial<ClusterPeer>>>;

function peers(changes: PeerChanges = {}): readonly ClusterPeer[] {
  return ids.map((id) => ({
    id,
    role: replicaIds.includes(id) ? 'replica' : 'master',
    masterId: replicaIds.includes(id) ? 'a' : undefined,
    health: 'ok',
    link: id === 'a' ? 'disconnected' : 'connected',
    slots: replicaIds.includes(id) ? 'none' : 'some',
    election: 'possible',
    ...changes[id],
  }));
}

function reading(id: string, changes: Partial<NodeReading> = {}): NodeReading {
  const replication: NodeReplication = { link: 'down', offset: 100, downForMs: 0 };
  const own = replicaIds.includes(id) ? replication : undefined;
  return { id, askedAt: at(id), epoch: 5, peers: peers(), replication: own, keys: 3, ...changes };
}

const replicated = (changes: Partial<NodeReplication>): Partial<NodeReading> => ({
  replication: { link: 'down', offset: 100, downForMs: 0, ...changes },
});
/** What all say, with changes of some. */
const said = (changes: Readonly<Record<string, Partial<NodeReading> | undefined>> = {}) =>
  ['b', 'c', 'x', 'y'].flatMap((id) => (id in changes && changes[id] === undefined ? [] : reading(id, changes[id])));
const seenBy = (id: string, change: PeerChanges) => said({ [id]: { peers: peers(change) } });
const bridge = (n: number, changes: Partial<JudgingBridge> = {}): JudgingBridge => ({
  bridge: `bridge-${n}`,
  place: 'elsewhere',
  sees: 'crash',
  ...changes,
});
const refused = (changes: object = {}): ClusterCrashSituation['sign'] => {
  const connection: ConnectionState = { kind: 'refused', closedMs: 0, firstMs: 5, lastMs: 65, count: 4, ...changes };
  return { kind: 'refused', connection };
};
const crashed: ClusterCrashSituation = {
  master: { id: 'a', address: at('a') },
  sign: refused(),
  crashAfterMs: 60,
  nowMs: 66,
  closedForMs: 66,
  recorded: 'master',
  masterForMs: 60_000,
  lastOrderAgeMs: undefined,
  failoverTimeMs: 60_000,
  epochForMs: Number.POSITIVE_INFINITY,
  replicas: replicaIds,
  readings: said(),
  bridges: [bridge(1)],
  maintenance: undefined,
};

const toX = { kind: 'order', target: at('x') };
const toY = { kind: 'order', target: at('y') };
type Changes = Partial<ClusterCrashSituation>;

const orders: Readonly<Record<string, readonly [typeof toX, Changes]>> = {
  'all agree: the first id': [toX, {}],
  'the largest offset is first': [toY, { readings: said({ y: replicated({ offset: 101 }) }) }],
  'a replica that lost its link long before is left out': [
    toX,
    { readings: said({ y: replicated({ offset: 900, downForMs: 5_000 }) }) },
  ],
  'a replica that was never in sync is left out': [
    toX,
    { readings: said({ y: replicated({ offset: 900, downForMs: undefined }) }) },
  ],
  'a replica that may not be elected is left out': [
    toX,
    {
      readings: said({ y: { ...replicated({ offset: 900 }), peers: peers({ y: { election: 'never' } }) } }),
    },
  ],
  'a dead replica is not waited for': [
    toX,
    { readings: said({ y: undefined, b: { peers: peers({ y: { health: 'failed' } }) } }) },
  ],
  'a majority of the bridges sees it': [toX, { bridges: [bridge(1), bridge(2), bridge(3, { sees: 'no-crash' })] }],
  'the bridge beside it decides': [
    toX,
    { bridges: [bridge(1, { place: 'beside' }), bridge(2, { sees: 'no-crash' }), bridge(3, { sees: 'no-crash' })] },
  ],
  'the last order was long ago': [toX, { lastOrderAgeMs: 60_000 }],
  'it came back empty': [
    toX,
    { sign: { kind: 'emptied', keys: 0 }, readings: seenBy('b', { a: { link: 'connected' } }) },
  ],
};
for (const [what, [order, changes]] of Object.entries(orders)) {
  t.test(`ordered: ${what}`, async (t) => t.strictSame(decideClusterCrash({ ...crashed, ...changes }), order));
}

const others: Readonly<Record<string, readonly ['leave' | 'refuse', Changes]>> = {
  'the record names another master': ['leave', { recorded: 'other' }],
  'a node knows that the cluster finds it dead': ['leave', { readings: seenBy('c', { a: { health: 'failed' } }) }],
  'a node knows it as a replica': ['leave', { readings: seenBy('c', { a: { role: 'replica' } }) }],
  'a node knows another owner of its slots': ['leave', { readings: seenBy('c', { a: { slots: 'none' } }) }],
  'the shard has just changed masters': ['refuse', { masterForMs: 59_999 }],
  'a bridge has just ordered a failover of it': ['refuse', { lastOrderAgeMs: 59_999 }],
  'it is in maintenance': ['refuse', { maintenance: 'sessions is in maintenance' }],
};
for (const [what, [kind, changes]] of Object.entries(others)) {
  t.test(`nothing ordered: ${what}`, async (t) => t.match(decideClusterCrash({ ...crashed, ...changes }), { kind }));
}

const waits: Readonly<Record<string, Readonly<Record<string, Changes>>>> = {
  unclear: {
    'the refusals have not lasted for crashAfter': { sign: refused({ lastMs: 64 }) },
    'this bridge was stopped meanwhile': { nowMs: 400 },
  },
  'others-may-act': {
    'a node suspects it': { readings: seenBy('b', { a: { health: 'suspected' } }) },
    'the epoch has just risen': { epochForMs: 499 },
  },
  contradicted: {
    'a node is connected to it': { readings: seenBy('b', { a: { link: 'connected' } }) },
    'its replica is connected to it': { readings: said({ x: replicated({ link: 'connected' }) }) },
    'its replica copies its data': { readings: said({ x: replicated({ link: 'syncing' }) }) },
    'half of the bridges see it': { bridges: [bridge(1), bridge(2, { sees: 'no-crash' })] },
    'the bridge beside it has not seen it': { bridges: [bridge(1), bridge(2, { place: 'beside', sees: 'no-crash' })] },
  },
  consul: {
    'no bridge is known to Consul yet': { bridges: [] },
  },
  'no-majority': {
    'a further master is gone, so there is no majority': {
      readings: said({ x: { peers: peers({ c: { link: 'disconnected' } }) }, y: replicated({ downForMs: 9_000 }) }),
    },
    'a further master does not answer': { readings: said({ c: undefined }) },
  },
  'no-replica': {
    'a replica does not answer': { readings: said({ y: undefined }) },
    'no node answers': { readings: [] },
    'no replica was in sync': {
      readings: said({ x: replicated({ downForMs: 9_000 }), y: replicated({ downForMs: undefined }) }),
    },
    'the emptied master has as many keys': { sign: { kind: 'emptied', keys: 3 } },
  },
};
for (const [end, changesOf] of Object.entries(waits))
  for (const [what, changes] of Object.entries(changesOf))
    t.test(`not yet: ${what}`, async (t) => {
      t.match(decideClusterCrash({ ...crashed, ...changes }), { kind: 'wait', end });
    });
