import { MaintenanceMemory } from '../../consul/maintenance-memory.ts';
import { MaintenanceSource } from '../../consul/maintenance-source.ts';
import { momentReport } from '../../loop/moment-report.ts';
import type { Outcome, RunReport } from '../../loop/outcome.ts';
import { type Address, formatAddress } from '../../model/address.ts';
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
    const whyNot = (name: string) => this.#whyNot(name);
    const orders = clusters.map((own) => {
      const { cluster } = own;
      const options = { ...shared, ...own, whyNot: () => whyNot(cluster), onReport: report };
      return [cluster, new ClusterCrashOrders(options)] as const;
    });
    function report(end: ClusterCrashReport): void {
      onReport(toReport(end));
    }
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

function toReport({ cluster, master, sign, replica, why, details }: ClusterCrashReport): RunReport {
  const address = formatAddress(master);
  const found =
    sign === 'refused'
      ? `${address} has crashed: its host refuses connections`
      : `${address} started again with fewer keys than its replicas`;
  const outcome: Outcome =
    replica === undefined
      ? { kind: 'held', summary: `${found}. No failover was ordered: ${why}`, details }
      : { kind: 'applied', summary: `${found}. Ordered ${formatAddress(replica)} to take over`, details };
  const hint = [`redis ${address}`, 'closed the connection'] as const;
  return momentReport({ loop: 'cluster-crash', key: cluster, hint, outcome });
}
