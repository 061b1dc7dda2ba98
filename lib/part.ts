import type {
  ClustersView,
  DesiredView,
  InstancesView,
  MastersView,
  TemplateControls,
  TemplatesView,
} from './http/views.ts';

/** One thing that the daemon runs: it starts, says whether it has seen what it must see first, and stops. */
export interface Part {
  /** `api`, `consul`, `bridge`, `renderer`, ... */
  readonly name: string;
  /** Must not wait for the world: what cannot be reached is tried again by the part itself. */
  start(): Promise<void> | void;
  /** Finishes what is in flight for at most `graceMs`, and releases everything. Called once, and only after `start`. */
  stop(options: StopOptions): Promise<void>;
  ready(): Readiness;
  /** On a reload that left the part's settings as they were: files that it reads may have changed. */
  refresh?(): void;
  /** A signal that means nothing to the daemon itself: it is for the programs that the part keeps running. */
  forward?(signal: NodeJS.Signals): void;
  /** For SIGUSR1: what the part knows, as plain data without secrets. */
  state?(): unknown;
  /** What the API shows of it. */
  readonly masters?: MastersView;
  readonly clusters?: ClustersView;
  readonly instances?: InstancesView;
  readonly desired?: DesiredView;
  readonly templates?: TemplatesView;
  readonly templateControls?: TemplateControls;
}

export interface StopOptions {
  readonly graceMs: number;
  /** `reload`: another of its name takes over at once. Default `end`: nobody does. */
  readonly cause?: 'end' | 'reload';
}

export type Readiness =
  | { readonly ready: true }
  /** Each a short noun: `sentinel 127.0.0.1:26379`, `template haproxy.cfg: service(redis-master)`. */
  | { readonly ready: false; readonly missing: readonly string[] };
