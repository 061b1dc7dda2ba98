import t from 'tap';
import { hasMoved, slotOf, toShardRecord, whyNotKillNode } from '../../lib/drill/shard.ts';
import type { ClusterState } from '../../lib/http/views.ts';
import type { ClusterRecord } from '../../lib/model/cluster.ts';

const at = (n: number) => ({ host: '10.0.0.7', port: 7_000 + n });
const record: ClusterRecord = {
  ...{ version: 1, name: 'sessions', epoch: 9, state: 'ok', uncovered: [] },
  shards: [
    { slots: [{ from: 0, to: 99 }], master: at(0), replicas: [at(3)] },
    { slots: [{ from: 100, to: 199 }], master: at(1), replicas: [at(4)] },
    { slots: [{ from: 200, to: 299 }], master: at(2), replicas: [] },
    { slots: [], master: at(6), replicas: [] },
  ],
  ...{ changedAt: '2026-01-01T00:00:00.000Z', changedBy: 'node-1' },
};
const known = { record, problem: null, unwell: [], crashes: [], maintenance: null };
const moved: ClusterRecord = {
  ...record,
  shards: record.shards.map((shard) =>
    shard.slots[0]?.from === 0 ? { ...shard, master: at(3), replicas: [at(0)] } : shard,
  ),
};

t.test('a shard is found by the address of its master, and followed by its slot', async (t) => {
  t.equal(slotOf(record, at(1)), 100);
  for (const none of [at(3), at(6), at(9)])
    t.throws(() => slotOf(record, none), { code: 'failover-refused', message: /no master of sessions with slots/ });
  t.match(toShardRecord(record, 150), { name: 'sessions', epoch: 9, master: at(1), replicas: [at(4)] });
  t.equal(toShardRecord(record, 300), null);
  const old = { slot: 0, master: at(0) };
  t.notOk(hasMoved(record, old));
  t.ok(hasMoved(moved, old));
  t.notOk(hasMoved(undefined, old), 'a key that is gone shows nothing');
});

const obstacles: Readonly<
  Record<string, readonly [RegExp | undefined, Partial<Parameters<typeof whyNotKillNode>[2]>]>
> = {
  'all is well': [undefined, {}],
  'it is in maintenance': [
    /in maintenance/,
    { maintenance: { state: 'on', text: 'sessions is in maintenance' } as ClusterState['maintenance'] },
  ],
  'its record is not current': [/not current/, { problem: 'no node answers' }],
  'the cluster has failed': [/cluster_state:fail/, { record: { ...record, state: 'fail' } }],
  'its replica is down': [/no replica/, { unwell: [{ address: at(3), health: 'fail' }] }],
  'another master is down, so there is no majority': [/no majority/, { unwell: [{ address: at(1), health: 'fail' }] }],
  'another master has crashed': [/no majority/, { crashes: [{ address: at(2), why: '', at: '' }] }],
};
for (const [when, [expected, changes]] of Object.entries(obstacles)) {
  t.test(`a drill ${expected === undefined ? 'kills' : 'does not kill'} a node when ${when}`, async (t) => {
    const shard = toShardRecord(record, 0);
    if (shard === null) throw new Error('no shard');
    const why = whyNotKillNode(at(0), shard, { ...known, ...changes })?.why;
    if (expected === undefined) t.equal(why, undefined);
    else t.match(why, expected);
  });
}

t.test('a master without a replica is never killed', async (t) => {
  const shard = toShardRecord(record, 200);
  t.match(shard && whyNotKillNode(at(2), shard, known), { lasts: 'until-changed', why: /no replica to promote/ });
});

t.test('after a failover of its shard, a node is not killed, and neither is the new master in its place', async (t) => {
  const shard = toShardRecord(moved, 0);
  t.match(shard && whyNotKillNode(at(0), shard, { ...known, record: moved }), {
    lasts: 'until-changed',
    why: '10.0.0.7:7003 has become the master in place of 10.0.0.7:7000',
  });
});
