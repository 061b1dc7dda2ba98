import type { ConsulClient } from '../client/consul.ts';
import type { Follow } from '../consul/watches.ts';
import type { SwitchmasterError } from '../errors.ts';
import type { Outcome } from '../loop/outcome.ts';
import type { Reconciler, Run } from '../loop/run.ts';
import { formatAddress } from '../model/address.ts';
import { type ClusterRecord, formatClusterRecord, parseClusterRecord } from '../model/cluster.ts';
import type { ConsulQuery } from '../model/query.ts';
import type { ClusterSource, Unreachable } from './observe.ts';
import { type ClusterDecision, type ClusterDraft, decideCluster, type Moving } from './plan.ts';

export interface FollowedCluster {
  readonly name: string;
  /** Its key in Consul. */
  readonly key: string;
  readonly source: ClusterSource;
  readonly record: Follow<Extract<ConsulQuery, { kind: 'key' }>>;
}

export interface ClusterFollowerOptions {
  readonly client: ConsulClient;
  /** Who signs a record. */
  readonly bridgeId: string;
  readonly clusters: readonly FollowedCluster[];
  /** How long a lower epoch must last before the cluster counts as rebuilt. Default 10,000. */
  readonly rebaseAfterMs?: number;
}

/** What is remembered of one cluster. */
interface ClusterMemory {
  behindSinceMs: number | undefined;
  moving: Moving;
  decision: ClusterDecision | undefined;
  draft: ClusterDraft | undefined;
  /** What was written, until the watch has caught up with it. */
  written: { readonly record: ClusterRecord; readonly modifyIndex: number; readonly resets: number } | undefined;
}

interface Held {
  readonly record: ClusterRecord | undefined;
  /** 0 where there is no key. */
  readonly modifyIndex: number;
  readonly resets: number;
}

/** Keeps the record of each Redis Cluster as a majority of its masters sees it. One key of the loop is one cluster. */
export class ClusterFollower implements Reconciler {
  readonly name = 'cluster';
  readonly #options: ClusterFollowerOptions;
  readonly #clusters: ReadonlyMap<string, FollowedCluster>;
  readonly #memories = new Map<string, ClusterMemory>();

  constructor(options: ClusterFollowerOptions) {
    this.#options = options;
    this.#clusters = new Map(options.clusters.map((cluster) => [cluster.name, cluster]));
  }

  /** The record as Consul holds it. */
  record(name: string): ClusterRecord | undefined {
    const cluster = this.#clusters.get(name);
    return cluster === undefined ? undefined : this.#held(cluster)?.record;
  }

  moving(name: string): Moving {
    return this.#memory(name).moving;
  }

  /** What waits, as a sentence. */
  trouble(name: string): string | undefined {
    const cluster = this.#clusters.get(name);
    const error = cluster === undefined ? undefined : unreadBecause(cluster);
    const { decision } = this.#memory(name);
    return error?.message ?? (decision?.kind === 'wait' ? decision.summary : undefined);
  }

  async reconcile({ key: name }: Run): Promise<Outcome> {
    const cluster = this.#clusters.get(name);
    if (cluster === undefined) return { kind: 'unchanged' };
    const memory = this.#memory(name);
    const nowMs = performance.now();
    const reading = await cluster.source.poll(nowMs);
    const held = this.#held(cluster);
    if (held === undefined) return unread(cluster);
    if (reading.kind === 'same') {
      const settled = memory.decision?.kind === 'stands' && sameContent(held.record, memory.draft);
      if (settled) return { kind: 'unchanged' };
      cluster.source.forget();
      return this.#again(cluster);
    }
    const { views, unreachable } = reading;
    const { behindSinceMs } = memory;
    const rebaseAfterMs = this.#options.rebaseAfterMs ?? 10_000;
    const refusals = refusalsOf(unreachable);
    const decision = decideCluster({ views, refusals, held: held.record, behindSinceMs, nowMs, rebaseAfterMs });
    memory.decision = decision;
    memory.behindSinceMs = decision.kind === 'wait' && decision.why === 'behind' ? (behindSinceMs ?? nowMs) : undefined;
    memory.moving = decision.kind === 'wait' ? 'moving' : decision.moving;
    switch (decision.kind) {
      case 'wait':
        cluster.source.forget();
        return { kind: 'held', summary: decision.summary, details: { why: decision.why } };
      case 'stands':
        memory.draft = decision.draft;
        if (decision.moving === 'moving') cluster.source.forget();
        return { kind: 'unchanged' };
      case 'publish':
        return this.#publish(cluster, { decision, held });
    }
  }

  async #again(cluster: FollowedCluster): Promise<Outcome> {
    return { kind: 'held', summary: `${cluster.name} is read again`, retryAfterMs: 0 };
  }

  async #publish(
    cluster: FollowedCluster,
    on: { readonly decision: Extract<ClusterDecision, { kind: 'publish' }>; readonly held: Held },
  ): Promise<Outcome> {
    const { decision, held } = on;
    const { client, bridgeId } = this.#options;
    const changedAt = new Date().toISOString();
    const record: ClusterRecord = { version: 1, name: cluster.name, ...decision.draft, changedAt, changedBy: bridgeId };
    const value = formatClusterRecord(record);
    const step = { kind: 'kv-cas', key: cluster.key, value, index: held.modifyIndex } as const;
    cluster.source.forget();
    const answer = await client.transact([step], { timeoutMs: 3_000 });
    if (answer.kind === 'conflict') return { kind: 'fenced', summary: 'another changed the record first' };
    const memory = this.#memory(cluster.name);
    memory.written = { record, modifyIndex: answer.indexes.get(cluster.key) ?? 0, resets: held.resets };
    memory.draft = decision.draft;
    const masters = record.shards.flatMap(({ master }) => (master === null ? [] : formatAddress(master)));
    return {
      kind: 'applied',
      summary: `${decision.why} (epoch ${record.epoch}, masters ${masters.join(', ')})`,
      details: { cause: 'cluster', record },
    };
  }

  /** undefined until the key was read once. */
  #held(cluster: FollowedCluster): Held | undefined {
    const { state } = cluster.record;
    if (state.kind !== 'current' && state.kind !== 'stale') return undefined;
    const memory = this.#memory(cluster.name);
    const { written } = memory;
    if (written !== undefined && state.resets === written.resets && state.index < BigInt(written.modifyIndex))
      return written;
    memory.written = undefined;
    const { value, resets } = state;
    if (value === undefined) return { record: undefined, modifyIndex: 0, resets };
    const record = parseClusterRecord(value.value);
    return { record: record?.name === cluster.name ? record : undefined, modifyIndex: value.modifyIndex, resets };
  }

  #memory(name: string): ClusterMemory {
    const known = this.#memories.get(name);
    if (known !== undefined) return known;
    const memory: ClusterMemory = {
      behindSinceMs: undefined,
      moving: 'moving',
      decision: undefined,
      draft: undefined,
      written: undefined,
    };
    this.#memories.set(name, memory);
    return memory;
  }
}

/** Those that need somebody's hand first. */
function refusalsOf(unreachable: readonly Unreachable[]): readonly string[] {
  const errors = unreachable.map(({ error }) => error);
  const [denied, silent] = [true, false].map((wanted) => errors.filter((e) => (e.code === 'redis-denied') === wanted));
  return [...(denied ?? []), ...(silent ?? [])].map(({ message }) => message);
}

function unread(cluster: FollowedCluster): Outcome {
  const error = unreadBecause(cluster);
  if (error !== undefined) return { kind: 'failed', error };
  return { kind: 'held', summary: 'Consul was not read yet', retryAfterMs: 1_000 };
}

/** Why nothing was ever read. */
function unreadBecause({ record: { state } }: FollowedCluster): SwitchmasterError | undefined {
  return state.kind === 'failed' ? state.error : undefined;
}

function sameContent(record: ClusterRecord | undefined, draft: ClusterDraft | undefined): boolean {
  if (record === undefined || draft === undefined) return false;
  return JSON.stringify([record.state, record.shards]) === JSON.stringify([draft.state, draft.shards]);
}
