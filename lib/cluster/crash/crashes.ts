import { describeCrash } from '../../crash/journal.ts';
import type { UnorderedCrash } from '../../http/views.ts';
import { momentReport } from '../../loop/moment-report.ts';
import type { RunReport } from '../../loop/outcome.ts';
import type { MaintenancePart } from '../../maintenance/part.ts';
import type { Address } from '../../model/address.ts';
import type { ClusterRecord } from '../../model/cluster.ts';
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
  /** Every cluster that this daemon follows. */
  readonly followed: readonly string[];
  readonly maintenance: Pick<MaintenancePart, 'whyNotOnCrash' | 'follow'>;
  readonly onReport: (report: RunReport) => void;
}

/** The orders about crashed masters of all clusters. There are none in maintenance. */
export class ClusterCrashes {
  readonly #orders: ReadonlyMap<string, ClusterCrashOrders>;
  readonly #maintenance: ClusterCrashesOptions['maintenance'];
  readonly #followed: readonly string[];
  #unfollow: () => void = () => undefined;

  constructor({ clusters, followed, maintenance, onReport, ...shared }: ClusterCrashesOptions) {
    this.#maintenance = maintenance;
    this.#followed = followed;
    const report = (end: ClusterCrashReport) => onReport(toReport(end));
    const orders = clusters.map((own) => {
      const whyNot = () => maintenance.whyNotOnCrash({ kind: 'cluster', name: own.cluster });
      return [own.cluster, new ClusterCrashOrders({ ...shared, ...own, whyNot, onReport: report })] as const;
    });
    this.#orders = new Map(orders);
  }

  start(): void {
    this.#unfollow = this.#maintenance.follow({
      names: () => this.#followed,
      onBegin: () => undefined,
      onEnd: (names) => {
        for (const name of names) this.#orders.get(name)?.maintenanceEnded();
      },
    });
    for (const orders of this.#orders.values()) orders.start();
  }

  async stop(): Promise<void> {
    this.#unfollow();
    await Promise.all([...this.#orders.values()].map((orders) => orders.stop()));
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

  /** Masters that have crashed, and whose failover this daemon has not ordered. */
  unordered(cluster: string): readonly UnorderedCrash[] {
    return this.#orders.get(cluster)?.unordered ?? [];
  }
}

function toReport({ cluster, replica, ...end }: ClusterCrashReport): RunReport {
  const described = describeCrash({ ...end, target: replica, order: 'to take over' });
  return momentReport({ loop: 'cluster-crash', key: cluster, ...described });
}
