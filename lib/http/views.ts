import type { z } from 'zod';
import type { Address } from '../model/address.ts';
import type { Health, Reason } from '../model/health.ts';
import type { Lag } from '../model/lag.ts';
import type { MasterRecord } from '../model/record.ts';
import type { TextReader } from '../model/text-reader.ts';
import type { JournalEntry, JournalFilter } from '../telemetry/journal.ts';
import type { unorderedCrashShape } from './crash-shapes.ts';
import type {
  clusterFailoverAnswer,
  clusterFailoverPreview,
  plannedAnswer,
  plannedPreview,
} from './failover-shapes.ts';
import type { maintenanceShape } from './maintenance-shapes.ts';
import type { isolationShape, sentinelStateShape } from './sentinel-shapes.ts';
import type { clusterShape, instanceShape, masterShape, outcomeShape, templateShape } from './shapes.ts';

export type MasterState = z.output<typeof masterShape>;
export type SentinelState = z.output<typeof sentinelStateShape>;
export type IsolationState = z.output<typeof isolationShape>;
export type MaintenanceState = z.output<typeof maintenanceShape>;
export type TemplateState = z.output<typeof templateShape>;
export type ClusterState = z.output<typeof clusterShape>;
export type InstanceState = z.output<typeof instanceShape>;
export type OutcomeState = z.output<typeof outcomeShape>;

/** The masters that a bridge follows, from memory. */
export interface MastersView {
  /** Sorted by name. */
  list(): readonly MasterState[];
  get(name: string): MasterState | undefined;
  /** Every Sentinel that the bridge knows, also without a master. */
  sentinels(): readonly SentinelState[];
  /** The record of each master in Consul. Cheap: every health check reads it. */
  records(): Iterable<MasterRecord>;
  /** How far a replica is behind; undefined if unknown. A call makes the bridge measure more often for a while. */
  lag(name: string, replica: Address): Lag | undefined;
}

/** The maintenance that this node knows, from memory. */
export interface MaintenanceView {
  /** Also what has ended and whose key is still there. */
  list(): readonly MaintenanceState[];
}

/** An order about the maintenance of a master or a cluster, or of all of them. */
export interface MaintenanceOrder {
  readonly state: 'on' | 'off';
  /** A master or a cluster, or `null` for all. */
  readonly scope: string | null;
  readonly by: string;
  readonly reason?: string;
  /** How long it lasts. Default: until somebody ends it. */
  readonly forMs?: number;
  /** Changes nothing. */
  readonly dryRun?: boolean;
}

export interface MaintenanceResult {
  /** False if there was nothing to end. */
  readonly changed: boolean;
  /** The former content of the key; null if there was none. */
  readonly before: MaintenanceState | null;
  readonly after: MaintenanceState | null;
}

export interface MaintenanceControls {
  /**
   * Resolves when Consul has it and this node keeps to it. Rejects with `not-found` for maintenance of a master or a cluster that
   * this node does not follow.
   */
  order(order: MaintenanceOrder): Promise<MaintenanceResult>;
}

/** A master that has crashed, and whose failover this node's daemon has not ordered. */
export type UnorderedCrash = z.output<typeof unorderedCrashShape>;

/** The Redis Clusters that this node follows, from memory. */
export interface ClustersView {
  /** In the order of the config. */
  list(): readonly ClusterState[];
}

/** The registered processes of this node, from memory. */
export interface InstancesView {
  list(): readonly InstanceState[];
}

/** What this node's provisioner configures at the Sentinels, from memory. */
export interface DesiredView {
  /** Names below `desired/`, sorted. */
  list(): readonly string[];
}

/** The templates that a renderer follows, from memory. */
export interface TemplatesView {
  /** In the order of the config. */
  list(): readonly TemplateState[];
  get(name: string): TemplateState | undefined;
  /** The last rendered text; undefined before the first one. Secrets are redacted for `anybody`. */
  rendered(name: string, reader: TextReader): Promise<string | undefined>;
  /** The destination's text if it differs; undefined if it is equal or missing, or if `reader` may not see it. */
  present(name: string, reader: TextReader): Promise<string | undefined>;
}

export type PlannedAnswer = z.output<typeof plannedAnswer>;
export type PlannedPreview = z.output<typeof plannedPreview>;
export type ClusterFailoverAnswer = z.output<typeof clusterFailoverAnswer>;
export type ClusterFailoverPreview = z.output<typeof clusterFailoverPreview>;

/** A manual failover of a cluster's shard, as it is ordered. */
export interface ClusterFailoverOptions {
  /** The replica to promote. */
  readonly node: Address;
  /** The limit for each step, in milliseconds. */
  readonly timeoutMs?: number;
  /** How long it may wait until it can begin, in milliseconds. */
  readonly waitMs?: number;
  /** Ends the wait. */
  readonly signal?: AbortSignal;
  /** Called when it waits for something else than before. */
  readonly onWait?: (why: string, elapsedMs: number) => void;
  readonly onStep?: (step: keyof ClusterFailoverAnswer['stages'], elapsedMs: number) => void;
}

/** Orders for a cluster. Both reject with `not-found` if this node does not follow the cluster. */
export interface ClusterControls {
  /** Rejects with `failover-refused` or `failover-stalled`. */
  failOver(name: string, options: ClusterFailoverOptions): Promise<ClusterFailoverAnswer>;
  /** What such a failover would do now. Changes nothing. */
  previewFailover(name: string, options: { readonly node: Address }): Promise<ClusterFailoverPreview>;
}

/** Orders for a master. All reject with `not-found` if the bridge does not follow the master. */
export interface MasterControls {
  /**
   * A planned failover. `waitMs` limits the time until it can begin, `timeoutMs` each of its stages, and `signal` ends the wait.
   * Rejects with `failover-refused` or `failover-stalled`.
   */
  failOver(
    name: string,
    options: {
      readonly successor?: Address;
      readonly timeoutMs?: number;
      readonly waitMs?: number;
      readonly signal?: AbortSignal;
    },
  ): Promise<PlannedAnswer>;
  /** What such a failover would do now. Changes nothing. */
  previewFailover(name: string, options: { readonly successor?: Address }): Promise<PlannedPreview>;
  /** A new generation. Rejects with `rebase-refused`. */
  rebase(name: string): Promise<MasterRecord>;
}

/** Orders for a template. Both throw `not-found` if there is no such template. */
export interface TemplateControls {
  /** Renders the template again, even if it was rolled back. */
  render(name: string): void;
  /** Releases the text that a guard holds. Throws `approve-refused` if its digest is not `digest`. */
  approve(name: string, options: { readonly digest?: string }): void;
}

/** Whether all is well, and why not: decided by the daemon, from memory. */
export interface HealthView {
  read(): Health;
  /** What is not observed in full yet; empty when ready. Cheap, for load balancers. */
  notReady(): readonly Reason[];
}

/** The machine that the daemon runs on. */
export interface NodeView {
  readonly name: string;
  /** What runs on it, in the order of starting. */
  parts(): readonly string[];
}

export interface ReadinessView {
  /** What is not observed in full yet; empty when ready. */
  missing(): readonly string[];
}

/** The last outcome of each key of each loop. */
export interface OutcomesView {
  last(loop: string, key: string): OutcomeState | undefined;
}

export interface JournalView {
  /** Newest first. */
  list(filter: JournalFilter): readonly JournalEntry[];
  /** Oldest first, at most `limit`. `complete` is false if the journal has dropped some of them. */
  since(id: number, limit?: number): { readonly entries: readonly JournalEntry[]; readonly complete: boolean };
  subscribe(onEntry: (entry: JournalEntry) => void): () => void;
  readonly lastId: number;
}

export interface MetricsTextView {
  text(): Promise<{ readonly contentType: string; readonly body: string }>;
}

/** Everything that the API shows. The view of a part that does not run is empty. */
export interface Views {
  readonly masters: MastersView;
  readonly clusters: ClustersView;
  readonly instances: InstancesView;
  readonly desired: DesiredView;
  readonly maintenance: MaintenanceView;
  readonly maintenanceControls: MaintenanceControls;
  readonly masterControls: MasterControls;
  readonly clusterControls: ClusterControls;
  readonly templates: TemplatesView;
  readonly templateControls: TemplateControls;
  readonly readiness: ReadinessView;
  readonly node: NodeView;
  readonly health: HealthView;
  readonly outcomes: OutcomesView;
  readonly journal: JournalView;
  readonly metrics: MetricsTextView;
}
