import type { ConsulClient } from '../client/consul.ts';
import type { Follow } from '../consul/watches.ts';
import type { SwitchmasterError } from '../errors.ts';
import type { Outcome } from '../loop/outcome.ts';
import type { Reconciler, Run } from '../loop/run.ts';
import { formatAddress } from '../model/address.ts';
import { type ClusterRecord, formatClusterRecord, parseClusterRecord } from '../model/cluster.ts';
import type { ConsulQuery } from '../model/query.ts';
import { ClusterMemory, type StoredClusterRecord } from './memory.ts';
import type { ClusterReading, ClusterSource, Unreachable } from './observe.ts';
import { type ClusterDecision, decideCluster, type Moving, type UnwellNode } from './plan.ts';

export interface FollowedCluster {
  readonly name: string;
  /** The key of its record in Consul. */
  readonly key: string;
  readonly source: ClusterSource;
  readonly record: Follow<Extract<ConsulQuery, { kind: 'key' }>>;
}

export interface ClusterFollowerOptions {
  readonly client: ConsulClient;
  /** The author in a record's `changedBy`. */
  readonly bridgeId: string;
  readonly clusters: readonly FollowedCluster[];
}

interface Followed extends FollowedCluster {
  readonly memory: ClusterMemory;
}

/** How long a majority must be at a lower epoch before the cluster counts as rebuilt. */
const rebaseAfterMs = 10_000;
const writeTimeoutMs = 3_000;

/** Keeps the record of each Redis Cluster as a majority of its masters sees it. One key of the loop is one cluster. */
export class ClusterFollower implements Reconciler {
  readonly name = 'cluster';
  readonly #options: ClusterFollowerOptions;
  readonly #clusters: ReadonlyMap<string, Followed>;

  constructor(options: ClusterFollowerOptions) {
    this.#options = options;
    this.#clusters = new Map(
      options.clusters.map((cluster) => [cluster.name, { ...cluster, memory: new ClusterMemory() }]),
    );
  }

  /** The record as Consul holds it. */
  record(name: string): ClusterRecord | undefined {
    const cluster = this.#clusters.get(name);
    return cluster === undefined ? undefined : storedRecord(cluster)?.record;
  }

  /** Nodes that do not serve. */
  unwell(name: string): readonly UnwellNode[] {
    return this.#clusters.get(name)?.memory.unwell ?? [];
  }

  moving(name: string): Moving {
    return this.#clusters.get(name)?.memory.moving ?? 'moving';
  }

  /** Why the record is not read or not published; undefined where it is. */
  problem(name: string): string | undefined {
    const cluster = this.#clusters.get(name);
    return cluster === undefined ? undefined : (readError(cluster)?.message ?? cluster.memory.problem);
  }

  /** Why the record cannot be read from Consul now; undefined where it can. */
  consulOutage(name: string): string | undefined {
    const state = this.#clusters.get(name)?.record.state;
    return state?.kind === 'failed' || state?.kind === 'stale' ? state.error.message : undefined;
  }

  async reconcile({ key: name }: Run): Promise<Outcome> {
    const cluster = this.#clusters.get(name);
    if (cluster === undefined) return { kind: 'unchanged' };
    const nowMs = performance.now();
    const reading = await cluster.source.poll(nowMs);
    const held = storedRecord(cluster);
    if (held === undefined) return unread(cluster);
    if (reading.kind === 'same') {
      if (cluster.memory.isSettled(held.record)) return { kind: 'unchanged' };
      cluster.source.forget();
      return { kind: 'held', summary: `the nodes of ${name} are read in full`, retryAfterMs: 0 };
    }
    const decision = decide(cluster, { reading, held, nowMs });
    switch (decision.kind) {
      case 'wait':
        cluster.source.forget();
        return { kind: 'held', summary: decision.summary, details: { why: decision.why } };
      case 'keep':
        if (decision.moving === 'moving') cluster.source.forget();
        return { kind: 'unchanged' };
      case 'publish':
        return this.#publish(cluster, { decision, held });
    }
  }

  async #publish(
    cluster: Followed,
    on: { readonly decision: Extract<ClusterDecision, { kind: 'publish' }>; readonly held: StoredClusterRecord },
  ): Promise<Outcome> {
    const { decision, held } = on;
    const { client, bridgeId } = this.#options;
    const changedAt = new Date().toISOString();
    const record: ClusterRecord = { version: 1, name: cluster.name, ...decision.draft, changedAt, changedBy: bridgeId };
    const value = formatClusterRecord(record);
    const step = { kind: 'kv-cas', key: cluster.key, value, index: held.modifyIndex } as const;
    cluster.source.forget();
    const answer = await client.transact([step], { timeoutMs: writeTimeoutMs, priority: 'failover' });
    if (answer.kind === 'conflict') return { kind: 'fenced', summary: 'another node changed the record first' };
    const modifyIndex = answer.indexes.get(cluster.key) ?? 0;
    cluster.memory.noteWritten({ record, modifyIndex, resets: held.resets });
    const masters = record.shards.flatMap(({ master }) => (master === null ? [] : formatAddress(master)));
    return {
      kind: 'applied',
      summary: `${decision.why} (epoch ${record.epoch}, masters ${masters.join(', ')})`,
      details: { cause: 'cluster', record },
    };
  }
}

function decide(
  { memory }: Followed,
  on: {
    readonly reading: Extract<ClusterReading, { kind: 'views' }>;
    readonly held: StoredClusterRecord;
    readonly nowMs: number;
  },
): ClusterDecision {
  const { reading, held, nowMs } = on;
  const decision = decideCluster({
    views: reading.views,
    refusals: refusalsOf(reading.unreachable),
    held: held.record,
    behindSinceMs: memory.behindSinceMs,
    nowMs,
    rebaseAfterMs,
  });
  memory.noteDecision(decision, nowMs);
  return decision;
}

/** undefined until Consul has answered once. */
function storedRecord({ name, record: { state }, memory }: Followed): StoredClusterRecord | undefined {
  if (state.kind !== 'current' && state.kind !== 'stale') return undefined;
  const { value, resets, index } = state;
  const record = value === undefined ? undefined : parseClusterRecord(value.value);
  const own = record?.name === name ? record : undefined;
  return memory.newest({ record: own, modifyIndex: value?.modifyIndex ?? 0, resets }, index);
}

/** Messages of the nodes that did not answer. Refused credentials come first, because only an operator can fix them. */
function refusalsOf(unreachable: readonly Unreachable[]): readonly string[] {
  const [denied = [], others = []] = [true, false].map((wanted) =>
    unreachable.filter(({ error }) => (error.code === 'redis-denied') === wanted),
  );
  return [...denied, ...others].map(({ error }) => error.message);
}

function unread(cluster: FollowedCluster): Outcome {
  const error = readError(cluster);
  if (error !== undefined) return { kind: 'failed', error };
  return { kind: 'held', summary: 'no answer from Consul yet', retryAfterMs: 1_000 };
}

/** Why Consul has never answered for the record. */
function readError({ record: { state } }: FollowedCluster): SwitchmasterError | undefined {
  return state.kind === 'failed' ? state.error : undefined;
}
