import { MaintenanceMemory } from '../../consul/maintenance-memory.ts';
import { MaintenanceSource } from '../../consul/maintenance-source.ts';
import { describeCrash } from '../../crash/journal.ts';
import { momentReport } from '../../loop/moment-report.ts';
import type { RunReport } from '../../loop/outcome.ts';
import type { Address } from '../../model/address.ts';
import type { ClusterRecord } from '../../model/cluster.ts';
import { describeMaintenance } from '../../model/maintenance.ts';
import { ClusterCrashOrders, type ClusterCrashOrdersOptions } from './orders.ts';
import type { ClusterCrashReport } from './subject.ts';

type Shared = Pick<
  ClusterCrashOrdersOptions,
  'client' | 'watches' | 'naming' | 'bridgeId' | 'settledAfterMs' | 'localNodes'
>;

export interface ClusterCrashesOptions extends Shared {
  /** The clusters whose crashed masters are failed over. */
  readonly clusters: readonly Pick<
    ClusterCrashOrdersOptions,
    'cluster' | 'crashAfterMs' | 'source' | 'record' | 'wake'
  >[];
  readonly onReport: (report: RunReport) => void;
}

/** The orders about crashed masters of all clusters, and the maintenance in which there are none. */
export class ClusterCrashes {
  readonly #orders: ReadonlyMap<string, ClusterCrashOrders>;
  readonly #maintenance: MaintenanceSource;

  constructor({ clusters, onReport, ...shared }: ClusterCrashesOptions) {
    const { client, watches, naming } = shared;
    const ignore = () => undefined;
    // The health reports rights that are missing, by the config's needs.
    const hooks = { onChange: ignore, onRead: ignore, onDenied: ignore };
    this.#maintenance = new MaintenanceSource({ client, watches, naming, memory: new MaintenanceMemory(), ...hooks });
    const report = (end: ClusterCrashReport) => onReport(toReport(end));
    const orders = clusters.map((own) => {
      const whyNot = () => this.#whyNot(own.cluster);
      return [own.cluster, new ClusterCrashOrders({ ...shared, ...own, whyNot, onReport: report })] as const;
    });
    this.#orders = new Map(orders);
  }

  start(): void {
    if (this.#orders.size > 0) this.#maintenance.start();
    for (const orders of this.#orders.values()) orders.start();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#orders.values()].map((orders) => orders.stop()));
    this.#maintenance.stop();
  }

  connected(cluster: string, address: Address): void {
    this.#orders.get(cluster)?.connected(address);
  }

  connectionClosed(cluster: string, address: Address): void {
    this.#orders.get(cluster)?.connectionClosed(address);
  }

  observeRecord(cluster: string, record: ClusterRecord | undefined): void {
    this.#orders.get(cluster)?.observeRecord(record);
  }

  #whyNot(cluster: string): string | undefined {
    if (!this.#maintenance.isRead) return 'Consul has not answered yet whether it is in maintenance';
    const found = this.#maintenance.of(cluster);
    return found === undefined ? undefined : describeMaintenance(found);
  }
}

function toReport({ cluster, replica, ...end }: ClusterCrashReport): RunReport {
  const described = describeCrash({ ...end, target: replica, order: 'to take over' });
  return momentReport({ loop: 'cluster-crash', key: cluster, ...described });
}
