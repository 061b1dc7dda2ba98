import t from 'tap';
import { type ClusterSituation, decideCluster } from '../../lib/cluster/plan.ts';
import type { ClusterNode, ClusterView } from '../../lib/model/cluster.ts';
import { formatClusterRecord, normalizeRanges, parseClusterRecord, uncoveredBy } from '../../lib/model/cluster.ts';

function node(id: string, over: Partial<ClusterNode> = {}): ClusterNode {
  return {
    id,
    address: { host: `10.0.0.${id.charCodeAt(0) - 96}`, port: 7000 },
    role: 'master',
    health: 'online',
    ...over,
  };
}

const thirds = [
  { from: 0, to: 5460 },
  { from: 5461, to: 10922 },
  { from: 10923, to: 16383 },
];

function view(
  nodeId: string,
  over: {
    readonly masters?: string;
    readonly epoch?: number;
    readonly state?: 'ok' | 'fail';
    readonly failed?: string;
  } = {},
): ClusterView {
  const { masters = 'abc', epoch = 3, state = 'ok', failed = '' } = over;
  const shards = thirds.map((slots, i) => {
    const id = masters[i] ?? 'a';
    return { slots: [slots], nodes: [node(id, failed.includes(id) ? { health: 'fail' } : {})] };
  });
  return { nodeId, askedAt: { host: '10.0.0.1', port: 7000 }, epoch, state, shards };
}

function decide(views: readonly ClusterView[], over: Partial<ClusterSituation> = {}) {
  return decideCluster({ views, held: undefined, behindSinceMs: undefined, nowMs: 0, rebaseAfterMs: 10_000, ...over });
}

function publish(views: readonly ClusterView[]) {
  const decision = decide(views);
  if (decision.kind !== 'publish') throw new Error(decision.kind);
  return { version: 1, name: 'c', ...decision.draft, changedAt: '', changedBy: '' } as const;
}

t.test('a view is agreed on when more than half of the masters that it lists hold it', async (t) => {
  t.equal(decide([view('a')]).kind, 'wait');
  t.equal(decide([view('a'), view('x'), view('y')]).kind, 'wait', 'replicas have no vote');
  t.equal(decide([view('a'), view('b')]).kind, 'publish');
  const cut = [view('c'), view('a', { masters: 'abd', epoch: 4 }), view('b', { masters: 'abd', epoch: 4 })];
  t.match(decide(cut), { kind: 'publish', draft: { epoch: 4 }, moving: 'moving' });
});

t.test('a node is not well as more than half of the agreed views see it', async (t) => {
  const unwell = [{ address: { host: '10.0.0.3', port: 7000 }, health: 'fail' }];
  t.match(decide([view('a', { failed: 'c' }), view('b', { failed: 'c' })]), { kind: 'publish', unwell });
  t.match(decide([view('a', { failed: 'c' }), view('b'), view('c')]), { kind: 'publish', unwell: [] });
  // A node that comes back is down to some, and loading to the others that have already heard from it.
  const returning = (...seen: readonly ClusterNode['health'][]) =>
    seen.map((health, i): ClusterView => {
      const { shards, ...rest } = view('abc'[i] ?? 'x');
      const [first = shards[0] as never, ...others] = shards;
      return {
        ...rest,
        shards: [{ ...first, nodes: [...first.nodes, node('d', { role: 'replica', health })] }, ...others],
      };
    });
  const address = { host: '10.0.0.4', port: 7000 };
  t.match(decide(returning('fail', 'loading')), { unwell: [{ address, health: 'fail' }] });
  t.match(decide(returning('fail', 'loading', 'loading')), { unwell: [{ address, health: 'loading' }] });
  t.match(decide(returning('fail', 'loading', 'online')), { unwell: [{ address, health: 'fail' }] });
  t.match(decide(returning('online', 'loading', 'online')), { unwell: [] });
});

t.test('a lower epoch counts as a rebuilt cluster only after it has lasted', async (t) => {
  const held = { ...publish([view('a', { epoch: 9 }), view('b', { epoch: 9 })]) };
  const older = [view('a'), view('b'), view('c')];
  t.match(decide(older, { held }), { kind: 'wait', why: 'behind' });
  t.match(decide(older, { held, behindSinceMs: 0, nowMs: 9_999 }), { kind: 'wait' });
  t.match(decide(older, { held, behindSinceMs: 0, nowMs: 10_000 }), { kind: 'publish', draft: { epoch: 3 } });
});

t.test('a node that others list by several names has one address, which stays', async (t) => {
  const named = (id: string) => ({ address: { host: `node-${id}.example`, port: 7000 } });
  /** The view of a node that lists these nodes by hostname, and all others by address. */
  const seen = (nodeId: string, byName: string): ClusterView => {
    const { shards, ...rest } = view(nodeId);
    const renamed = shards.map(({ slots, nodes }) => ({
      slots,
      nodes: nodes.map((one) => (byName.includes(one.id) ? { ...one, ...named(one.id) } : one)),
    }));
    return { ...rest, shards: renamed };
  };
  const mastersOf = (views: readonly ClusterView[], held?: ClusterSituation['held']) => {
    const decision = decide(views, { held });
    if (decision.kind === 'wait') throw new Error(decision.summary);
    return [decision.kind, ...decision.draft.shards.map(({ master }) => master?.host)];
  };
  const numbers = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
  t.strictSame(mastersOf([seen('a', ''), seen('b', 'abc')]), ['publish', ...numbers], 'an IP address before a name');
  const first = publish([seen('a', ''), seen('b', '')]);
  const mixed = [seen('a', 'abc'), seen('b', 'abc'), seen('c', '')];
  const names = ['node-a.example', 'node-b.example', 'node-c.example'];
  t.strictSame(mastersOf(mixed), ['publish', ...names], 'what most of them list');
  t.strictSame(mastersOf(mixed, first), ['keep', ...numbers], 'the record, while any node lists it');
  t.strictSame(mastersOf(mixed.slice(0, 2), first), ['publish', ...names], 'nobody lists the address any more');
  const nowhere = {
    ...view('a'),
    shards: view('a').shards.map(({ slots, nodes }) => ({
      slots,
      nodes: nodes.map((one) => ({ ...one, address: undefined })),
    })),
  };
  t.strictSame(
    mastersOf([nowhere, { ...nowhere, nodeId: 'b', askedAt: { host: '10.0.0.9', port: 7000 } }]),
    ['publish', '10.0.0.1', '10.0.0.9', undefined],
    'where they answered',
  );
});

t.test('an unchanged map is kept at each epoch', async (t) => {
  const held = publish([view('a'), view('b'), view('c')]);
  t.match(decide([view('a', { epoch: 5 }), view('b', { epoch: 5 }), view('c', { epoch: 5 })], { held }), {
    kind: 'keep',
  });
  t.match(decide([view('a', { failed: 'c' }), view('b', { failed: 'c' })], { held }), {
    kind: 'publish',
    draft: { uncovered: [thirds[2]] },
  });
});

t.test('records and slots have one written form, and are read back from it', async (t) => {
  const record = publish([view('a'), view('b')]);
  t.same(parseClusterRecord(formatClusterRecord(record)), record);
  for (const text of ['', 'null', '{}', formatClusterRecord({ ...record, shards: [{}] as never })])
    t.equal(parseClusterRecord(text), undefined, text);
  t.same(
    normalizeRanges([
      { from: 5, to: 9 },
      { from: 0, to: 4 },
    ]),
    [{ from: 0, to: 9 }],
  );
  t.same(uncoveredBy([{ from: 1, to: 16383 }]), [{ from: 0, to: 0 }]);
});
