import type { ClusterRecord } from '../model/cluster.ts';
import type { ClusterDecision, Moving, UnwellNode } from './plan.ts';

/** The record as Consul holds it. */
export interface StoredClusterRecord {
  /** undefined where the key does not exist, or holds no record of this cluster. */
  readonly record: ClusterRecord | undefined;
  /** 0 where the key does not exist. */
  readonly modifyIndex: number;
  /** How often Consul's indexes have started again: indexes of different counts cannot be compared. */
  readonly resets: number;
}

/** What is remembered of one cluster between two runs. A restart may lose all of it. */
export class ClusterMemory {
  #decision: ClusterDecision | undefined;
  #behindSinceMs: number | undefined;
  /** What this node wrote, until the watch has caught up with it. */
  #written: StoredClusterRecord | undefined;

  /** Since when a majority has been at a lower epoch than the record; undefined where it is not. */
  get behindSinceMs(): number | undefined {
    return this.#behindSinceMs;
  }

  /** Whether the next poll should come soon. */
  get moving(): Moving {
    return this.#decision === undefined || this.#decision.kind === 'wait' ? 'moving' : this.#decision.moving;
  }

  /** Why nothing can be published; undefined where it can. */
  get problem(): string | undefined {
    return this.#decision?.kind === 'wait' ? this.#decision.summary : undefined;
  }

  /** Nodes that do not serve, by the last decision. */
  get unwell(): readonly UnwellNode[] {
    return this.#decision === undefined || this.#decision.kind === 'wait' ? [] : this.#decision.unwell;
  }

  noteDecision(decision: ClusterDecision, nowMs: number): void {
    this.#decision = decision;
    const isBehind = decision.kind === 'wait' && decision.why === 'behind';
    this.#behindSinceMs = isBehind ? (this.#behindSinceMs ?? nowMs) : undefined;
  }

  noteWritten(written: StoredClusterRecord): void {
    this.#written = written;
  }

  /** The newer of what the watch saw (at Consul's index `index`) and what this node wrote. */
  newest(watched: StoredClusterRecord, index: bigint): StoredClusterRecord {
    const written = this.#written;
    if (written !== undefined && watched.resets === written.resets && index < BigInt(written.modifyIndex))
      return written;
    this.#written = undefined;
    return watched;
  }

  /** Whether the last decision was to keep this very record. */
  isSettled(record: ClusterRecord | undefined): boolean {
    if (record === undefined || this.#decision?.kind !== 'keep') return false;
    const { draft } = this.#decision;
    return JSON.stringify([record.state, record.shards]) === JSON.stringify([draft.state, draft.shards]);
  }
}
