import type { ClusterState, MasterState, TemplateState } from '../../../lib/http/views.ts';
import { exampleMaster, exampleTemplate } from '../views.ts';

/** The address of the `index`th master, or of its replica. */
export function addressOf(index: number, role: 'master' | 'replica' = 'master') {
  return { host: `10.${role === 'master' ? 1 : 2}.${Math.floor(index / 200)}.${(index % 200) + 1}`, port: 6379 };
}

/** A master with one replica and three Sentinels that agree, changed by `over`. */
export function masterAt(index: number, over: Partial<MasterState> = {}): MasterState {
  const name = over.name ?? `shard${index}`;
  const [master, replica] = [addressOf(index), addressOf(index, 'replica')];
  const [vote] = exampleMaster.sentinels;
  if (exampleMaster.record === null || vote === undefined) throw new Error('the example has no record');
  const record = { ...exampleMaster.record, name, master, replicas: [replica] };
  const sentinels = [1, 2, 3].map((number) => ({
    ...vote,
    address: { host: `10.9.0.${number}`, port: 26379 },
    id: `sentinel-${number}`,
    state: 'seen',
    epoch: record.epoch,
    master,
    flags: ['up'],
    replicas: [{ address: replica, condition: 'up' as const, priority: 100 }],
  }));
  return {
    ...exampleMaster,
    name,
    record,
    sentinels,
    replicas: [{ address: replica, lag: { bytes: 0, behindMs: 0 } }],
    check: { status: 'passing', output: 'Sentinel: up' },
    ...over,
  };
}

export function templateOf(over: Partial<TemplateState> = {}): TemplateState {
  return { ...exampleTemplate, state: 'current', writtenAt: '2026-01-01T00:00:00.000Z', ...over };
}

/** Three shards, with nine slots between the second and the third that nobody serves. */
export const brokenCluster: ClusterState = {
  name: 'sessions',
  record: {
    version: 1,
    name: 'sessions',
    epoch: 9,
    state: 'fail',
    uncovered: [{ from: 10_913, to: 10_921 }],
    shards: [
      { slots: [{ from: 0, to: 5_460 }], master: addressOf(0), replicas: [addressOf(0, 'replica')] },
      { slots: [{ from: 5_461, to: 10_912 }], master: addressOf(1), replicas: [addressOf(1, 'replica')] },
      { slots: [{ from: 10_922, to: 16_383 }], master: addressOf(2), replicas: [] },
    ],
    changedAt: '2026-01-01T00:00:00.000Z',
    changedBy: 'bridge-1',
  },
  problem: null,
  nodes: [],
  unwell: [],
  crashes: [],
  maintenance: null,
};
