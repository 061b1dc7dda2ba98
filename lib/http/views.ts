import type { z } from 'zod';
import type { Address } from '../model/address.ts';
import type { Health, Reason } from '../model/health.ts';
import type { Lag } from '../model/lag.ts';
import type { MasterRecord } from '../model/record.ts';
import type { TextReader } from '../model/text-reader.ts';
import type { JournalEntry, JournalFilter } from '../telemetry/journal.ts';
import type { clusterShape, instanceShape, masterShape, outcomeShape, plannedAnswer, templateShape } from './shapes.ts';

export type MasterState = z.output<typeof masterShape>;
export type TemplateState = z.output<typeof templateShape>;
export type ClusterState = z.output<typeof clusterShape>;
export type InstanceState = z.output<typeof instanceShape>;
export type OutcomeState = z.output<typeof outcomeShape>;

/** The masters that a bridge follows, from memory. */
export interface MastersView {
  /** Sorted by name. */
  list(): readonly MasterState[];
  get(name: string): MasterState | undefined;
  /** What Consul holds for each of them: asked for by every health check, and so must be cheap. */
  records(): Iterable<MasterRecord>;
  /** How far that replica is behind; undefined where it is not known. Asking has it measured more often from now on. */
  lag(name: string, replica: Address): Lag | undefined;
}

/** The Redis Clusters that this node follows, from memory. */
export interface ClustersView {
  /** In the order of the config. */
  list(): readonly ClusterState[];
}

/** The processes of this node that are registered, from memory. */
export interface InstancesView {
  list(): readonly InstanceState[];
}

/** What this node's provisioner teaches, from memory. */
export interface DesiredView {
  /** Names below `desired/`, sorted. */
  list(): readonly string[];
}

/** The templates that a renderer follows, from memory. */
export interface TemplatesView {
  /** In the order of the config. */
  list(): readonly TemplateState[];
  get(name: string): TemplateState | undefined;
  /** What was last rendered; undefined before the first time. `anybody` sees it without secrets. */
  rendered(name: string, reader: TextReader): string | undefined;
  /** What the destination holds where that is another text; undefined where it is the same, nothing, or not for them. */
  present(name: string, reader: TextReader): string | undefined;
}

export type PlannedAnswer = z.output<typeof plannedAnswer>;

/** What an operator may do to a master. Both reject with `not-found` where nobody follows a master of that name. */
export interface MasterControls {
  /** A planned failover; `timeoutMs` is for each of its stages. Rejects with `failover-refused` or `failover-stalled`. */
  failOver(name: string, wish: { readonly successor?: Address; readonly timeoutMs?: number }): Promise<PlannedAnswer>;
  /** A new generation. Rejects with `rebase-refused`. */
  rebase(name: string): Promise<MasterRecord>;
}

/** What an operator may ask of the renderer. Both throw `not-found` where there is no such thing. */
export interface TemplateControls {
  /** Looks at the template again, also where it was rolled back. */
  render(name: string): void;
  /** Releases the text that a guard holds now; throws `approve-refused` where that is not the one of `digest`. */
  approve(name: string, wish: { readonly digest?: string }): void;
}

/** Whether all is well, and why not: decided by the daemon, from memory. */
export interface HealthView {
  read(): Health;
  /** What is not observed in full yet; empty when ready. Cheap, for load balancers. */
  notReady(): readonly Reason[];
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
  /** Oldest first, at most `limit`; `complete` is false where some of them are forgotten already. */
  since(id: number, limit?: number): { readonly entries: readonly JournalEntry[]; readonly complete: boolean };
  subscribe(onEntry: (entry: JournalEntry) => void): () => void;
  readonly lastId: number;
}

export interface MetricsTextView {
  text(): Promise<{ readonly contentType: string; readonly body: string }>;
}

/** Everything that the API shows. A part that a node does not run is an empty view. */
export interface Views {
  readonly masters: MastersView;
  readonly clusters: ClustersView;
  readonly instances: InstancesView;
  readonly desired: DesiredView;
  readonly masterControls: MasterControls;
  readonly templates: TemplatesView;
  readonly templateControls: TemplateControls;
  readonly readiness: ReadinessView;
  readonly health: HealthView;
  readonly outcomes: OutcomesView;
  readonly journal: JournalView;
  readonly metrics: MetricsTextView;
}
