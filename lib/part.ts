import type {
  ClustersView,
  DesiredView,
  InstancesView,
  MaintenanceView,
  MastersView,
  TemplateControls,
  TemplatesView,
} from './http/views.ts';

/** One part of the daemon: it starts, reports whether it is ready, and stops. */
export interface Part {
  /** `api`, `consul`, `bridge`, `renderer`, ... */
  readonly name: string;
  /** Must not wait for any server: the part itself tries again what it cannot reach. */
  start(): Promise<void> | void;
  /**
   * Ends the orders of an operator that the part carries out, and takes no more: those that have begun get `graceMs`. Called before
   * the first part is stopped, because they need the others. Never rejects.
   */
  endOrders?(options: { readonly graceMs: number }): Promise<void>;
  /** Finishes work in flight for at most `graceMs`, and releases everything. Called once, after `start`, and after `endOrders`. */
  stop(options: StopOptions): Promise<void>;
  ready(): Readiness;
  /** Called on a reload that did not change the part's settings: files that it reads may have changed. */
  refresh?(cause: ReloadCause): void;
  /** Passes a signal that the daemon does not use itself to the programs that the part runs. */
  forward?(signal: NodeJS.Signals): void;
  /** For SIGUSR1: the state of the part, as plain data without secrets. */
  state?(): unknown;
  /** What the API shows of the part. */
  readonly masters?: MastersView;
  readonly clusters?: ClustersView;
  readonly instances?: InstancesView;
  readonly desired?: DesiredView;
  readonly maintenance?: MaintenanceView;
  readonly templates?: TemplatesView;
  readonly templateControls?: TemplateControls;
}

/** `order`: somebody asked for a reload. `rotation`: files of secrets or certificates changed by themselves. */
export type ReloadCause = 'order' | 'rotation';

export interface StopOptions {
  readonly graceMs: number;
  /** `reload`: a new part of the same name starts at once. `end`: none does. Default: `end`. */
  readonly cause?: 'end' | 'reload';
}

export type Readiness =
  | { readonly ready: true }
  /** Each a short noun: `sentinel 127.0.0.1:26379`, `template haproxy.cfg: service(redis-master)`. */
  | { readonly ready: false; readonly missing: readonly string[] };

/** Ready if nothing is missing. */
export function toReadiness(missing: readonly string[]): Readiness {
  return missing.length === 0 ? { ready: true } : { ready: false, missing };
}
