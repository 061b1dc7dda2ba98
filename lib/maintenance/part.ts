import type { SwitchmasterError } from '../errors.ts';
import type {
  MaintenanceControls,
  MaintenanceOrder,
  MaintenanceResult,
  MaintenanceState,
  MaintenanceView,
} from '../http/views.ts';
import { momentReport } from '../loop/moment-report.ts';
import type { RunReport } from '../loop/outcome.ts';
import {
  allMastersKey,
  describeMaintenance,
  type MaintenanceChange,
  type MaintenanceVerdict,
} from '../model/maintenance.ts';
import type { Part } from '../part.ts';
import { MaintenanceOrders } from './orders.ts';
import { MaintenanceSource, type MaintenanceSourceOptions } from './source.ts';
import { toMaintenanceState } from './view.ts';

export interface MaintenancePartOptions extends Omit<MaintenanceSourceOptions, 'onChange' | 'onRead' | 'onDenied'> {
  readonly onReport: (report: RunReport) => void;
}

/** A part that orders something about masters or clusters. */
export interface MaintenanceFollower {
  /** The masters or clusters that it follows. */
  readonly names: () => readonly string[];
  /** Maintenance of these began. */
  readonly onBegin: (names: readonly string[]) => void;
  /** These are not in maintenance any more: everything about them is judged again. */
  readonly onEnd: (names: readonly string[]) => void;
}

/**
 * Whether anything may be ordered about a master or a cluster: in maintenance, the daemon only follows what Sentinel or the cluster
 * decides. Every place where something is ordered asks `whyNot`.
 */
export class MaintenancePart implements Part, MaintenanceView, MaintenanceControls {
  readonly name = 'maintenance';
  readonly maintenance: MaintenanceView = { list: () => this.list() };
  readonly #options: MaintenancePartOptions;
  readonly #source: MaintenanceSource;
  readonly #orders: MaintenanceOrders;
  readonly #followers = new Set<MaintenanceFollower>();
  /** Masters for which an operator ordered something in spite of maintenance. */
  readonly #exempt = new Set<string>();
  /** Masters and clusters about which nothing was done because Consul was not read yet. */
  readonly #postponed = new Set<string>();

  constructor(options: MaintenancePartOptions) {
    this.#options = options;
    this.#source = new MaintenanceSource({
      ...options,
      onChange: (changes) => this.#changed(changes),
      onRead: () => this.#endPostponed(),
      onDenied: (error) => options.onReport(toDenial(error)),
    });
    const names = () => [...this.#followers].flatMap((follower) => follower.names());
    this.#orders = new MaintenanceOrders({ ...options, source: this.#source, names });
  }

  start(): void {
    this.#source.start();
  }

  async stop(): Promise<void> {
    this.#source.stop();
  }

  ready() {
    return { ready: true } as const;
  }

  /** Reports to the follower what begins and ends, until the function that it returns is called. */
  follow(follower: MaintenanceFollower): () => void {
    this.#followers.add(follower);
    return () => void this.#followers.delete(follower);
  }

  /** Whether something may be ordered about the master or the cluster. Cheap: a failover waits for it. */
  verdict(name: string): MaintenanceVerdict {
    return this.#exempt.has(name) ? { kind: 'off' } : this.#read(name);
  }

  #read(name: string): MaintenanceVerdict {
    if (!this.#source.isRead) {
      this.#postponed.add(name);
      return { kind: 'unread', why: 'Consul has not answered yet whether it is in maintenance' };
    }
    const maintenance = this.#source.of(name);
    return maintenance === undefined ? { kind: 'off' } : { kind: 'on', why: describeMaintenance(maintenance) };
  }

  /** Why nothing may be ordered about it; undefined where it may. */
  whyNot(name: string): string | undefined {
    return reasonOf(this.verdict(name));
  }

  /**
   * Why no failover may be ordered because of a crash; undefined where it may. Unlike other orders, this one is not given either if the
   * token may not read whether somebody ordered maintenance, or if Consul has not answered yet whether it may. What an operator orders about a master of Sentinels does not concern a
   * cluster of the same name.
   */
  whyNotOnCrash({ kind, name }: { readonly kind: 'master' | 'cluster'; readonly name: string }): string | undefined {
    const why = reasonOf(kind === 'master' ? this.verdict(name) : this.#read(name));
    return why ?? this.#source.whyHidden;
  }

  /**
   * Why what the Sentinels monitor may not be changed for the master; undefined where it may. A failover that an operator ordered
   * does not permit that.
   */
  whyNotProvision(name: string): string | undefined {
    return reasonOf(this.#read(name));
  }

  /** Carries out what an operator ordered, and lets the bridge act about this master meanwhile. */
  async except<T>(name: string, ordered: () => Promise<T>): Promise<T> {
    this.#exempt.add(name);
    try {
      return await ordered();
    } finally {
      this.#exempt.delete(name);
    }
  }

  order(order: MaintenanceOrder): Promise<MaintenanceResult> {
    return this.#orders.carryOut(order);
  }

  list(): readonly MaintenanceState[] {
    const nowMs = performance.now();
    return [...this.#source.all].map(([scope, maintenance]) => toMaintenanceState({ scope, maintenance }, nowMs));
  }

  /** The maintenance that the master or the cluster is in, or null. */
  of(name: string): MaintenanceState | null {
    const found = this.#source.of(name);
    return found === undefined ? null : toMaintenanceState(found, performance.now());
  }

  #changed(changes: readonly MaintenanceChange[]): void {
    for (const change of changes) this.#options.onReport(toReport(change));
    for (const follower of this.#followers) {
      const namesOf = (kind: 'begin' | 'end') => {
        const scopes = changes.filter((change) => (change.kind === 'ends') === (kind === 'end'));
        const all = scopes.flatMap(({ scope }) => (scope === null ? follower.names() : [scope]));
        return [...new Set(all)].filter((name) => (this.#source.of(name) === undefined) === (kind === 'end'));
      };
      follower.onBegin(namesOf('begin'));
      this.#end(follower, namesOf('end'));
    }
  }

  #endPostponed(): void {
    const names = [...this.#postponed];
    this.#postponed.clear();
    for (const follower of this.#followers) this.#end(follower, names);
  }

  #end(follower: MaintenanceFollower, names: readonly string[]): void {
    const ended = names.filter((name) => this.#source.of(name) === undefined);
    if (ended.length > 0) follower.onEnd(ended);
  }
}

function toDenial(error: SwitchmasterError): RunReport {
  const hint = ['consul', 'denied'] as const;
  return momentReport({ loop: 'maintenance', key: allMastersKey, hint, outcome: { kind: 'failed', error } });
}

function toReport({ scope, kind, maintenance, end }: MaintenanceChange): RunReport {
  const subject = scope === null ? 'maintenance of all masters' : 'maintenance';
  const description = describeMaintenance({ scope, maintenance });
  const summary =
    kind === 'ends' ? `${subject} ended ${end === 'by hand' ? 'by hand' : 'because its time is over'}` : description;
  const { fault: _, ...note } = maintenance.note;
  const details = { cause: 'maintenance', change: kind, ...note, endsAt: maintenance.endsAt };
  return momentReport({
    loop: 'maintenance',
    key: scope ?? allMastersKey,
    hint: end === 'in time' ? ['clock', 'time is over'] : ['consul', 'changed'],
    outcome: { kind: 'applied', summary, details },
  });
}

function reasonOf(verdict: MaintenanceVerdict): string | undefined {
  return verdict.kind === 'off' ? undefined : verdict.why;
}
