import {
  activeAt,
  compareMaintenance,
  type MaintenanceChange,
  type MaintenanceOfMaster,
  type MaintenanceScope,
  type Maintenances,
  maintenanceOf,
  type Present,
  trackMaintenance,
} from '../model/maintenance.ts';

/**
 * The maintenance that Consul showed last. It outlives every part: a reload neither prolongs maintenance nor forgets it while
 * Consul is down.
 */
export class MaintenanceMemory {
  #prefix: string | undefined;
  #all: Maintenances = new Map();
  /** What was on when the last changes were taken. */
  #taken: Maintenances = new Map();

  /** What Consul holds below `prefix`, by what it is about. */
  observe(prefix: string, values: ReadonlyMap<MaintenanceScope, string>, present: Present): void {
    this.#all = trackMaintenance(this.#prefix === prefix ? this.#all : new Map(), values, present);
    this.#prefix = prefix;
  }

  isRead(prefix: string): boolean {
    return this.#prefix === prefix;
  }

  /** Also maintenance that has ended and whose key is still there. */
  get all(): Maintenances {
    return this.#all;
  }

  of(name: string, nowMs: number): MaintenanceOfMaster | undefined {
    return maintenanceOf(this.#all, name, nowMs);
  }

  /** What has changed since the last call. */
  takeChanges(nowMs: number): readonly MaintenanceChange[] {
    const changes = compareMaintenance(this.#taken, { all: this.#all, nowMs });
    this.#taken = activeAt(this.#all, nowMs);
    return changes;
  }
}
