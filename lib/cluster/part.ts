import type { ConsulClient } from '../client/consul.ts';
import type { ClusterConfig } from '../config/model.ts';
import { type Revealed, reveal } from '../config/reveal.ts';
import { lastValue } from '../consul/watch-state.ts';
import type { CatalogWatches, Follow } from '../consul/watches.ts';
import { SwitchmasterError } from '../errors.ts';
import type {
  ClusterFailoverAnswer,
  ClusterFailoverOptions,
  ClusterFailoverPreview,
  ClusterState,
  ClustersView,
} from '../http/views.ts';
import { Loop } from '../loop/loop.ts';
import { OrdersUnderWay } from '../loop/orders-under-way.ts';
import type { RunReport } from '../loop/outcome.ts';
import { usualResyncMs } from '../loop/resync.ts';
import type { MaintenancePart } from '../maintenance/part.ts';
import type { Address, Endpoint } from '../model/address.ts';
import type { ServiceInstance } from '../model/catalog.ts';
import { clusterKey, type Naming, nameTag } from '../model/naming.ts';
import { type Part, type Readiness, toReadiness } from '../part.ts';
import { ClusterCrashes } from './crash/crashes.ts';
import { masterInRecord } from './failover/check.ts';
import { ClusterFailover, type ClusterFailoverParts } from './failover/run.ts';
import { ClusterSource } from './observe.ts';
import { ClusterFollower, type FollowedCluster } from './reconciler.ts';

export type WantedCluster = Revealed<ClusterConfig>;

export interface ClusterPartOptions {
  readonly client: ConsulClient;
  readonly watches: CatalogWatches;
  readonly naming: Naming;
  readonly bridgeId: string;
  readonly clusters: readonly WantedCluster[];
  /** Whether failovers of crashed masters may be ordered. Default: always. */
  readonly maintenance?: Pick<MaintenancePart, 'whyNotOnCrash' | 'follow' | 'of'>;
  readonly onReport: (report: RunReport) => void;
  /**
   * For how long a cluster must not have changed before a planned failover, and a shard before one because of a crash. Default:
   * 60,000, and four times cluster-node-timeout.
   */
  readonly settledAfterMs?: number;
  /** The cluster nodes that this node's daemon registers. Default: none. */
  readonly localNodes?: () => readonly Endpoint[];
}

/** The interval between polls while the cluster changes. */
const movingMs = 50;
/** How long that interval lasts at most. */
const movingForMs = 15_000;

/** The part for the section `cluster`. */
export function buildClusters(
  config: readonly ClusterConfig[],
  shared: Omit<ClusterPartOptions, 'clusters'>,
): ClusterPart {
  return new ClusterPart({ ...shared, clusters: config.map(reveal) });
}

/** Follows the Redis Clusters of the config. */
export class ClusterPart implements Part {
  readonly name = 'cluster';
  readonly clusters: ClustersView = { list: () => this.list() };
  readonly #options: ClusterPartOptions;
  readonly #followed: readonly FollowedCluster[];
  readonly #services: readonly Follow<{ kind: 'service'; service: string }>[];
  readonly #follower: ClusterFollower;
  readonly #crashes: ClusterCrashes;
  readonly #loop: Loop;
  readonly #timers = new Map<string, { timer: NodeJS.Timeout; readonly movingSinceMs: number | undefined }>();
  readonly #underWay = new OrdersUnderWay();
  #stopped = false;

  constructor(options: ClusterPartOptions) {
    this.#options = options;
    const { clusters, watches, naming } = options;
    this.#followed = clusters.map((cluster) => {
      const { name, access } = cluster;
      const key = clusterKey(naming, name);
      const hint = (source: string) => (event: string) => this.#loop.wake(name, { source, event });
      const record = watches.follow({ kind: 'key', key }, () => hint('consul')('changed'));
      const source = new ClusterSource({
        access,
        onHint: hint(`cluster ${name}`),
        onUp: (address) => this.#crashes.connected(name, address),
        onClosed: (address) => this.#crashes.connectionClosed(name, address),
      });
      return { name, key, source, record };
    });
    this.#services = clusters.flatMap(({ service }) =>
      service === undefined ? [] : watches.follow({ kind: 'service', service }, () => this.#passNodes()),
    );
    this.#follower = new ClusterFollower({ ...options, clusters: this.#followed });
    this.#crashes = this.#makeCrashes();
    this.#loop = new Loop({
      reconciler: this.#follower,
      // Its timers wake it sooner: `resync` of each cluster.
      resyncMs: usualResyncMs,
      backoff: { initialMs: 50, maxMs: 2_000 },
      onReport: (report) => {
        this.#schedule(report.key);
        this.#crashes.observeRecord(report.key, this.#follower.record(report.key));
        options.onReport(report);
      },
    });
  }

  start(): void {
    this.#crashes.start();
    this.#passNodes();
    for (const { name } of this.#followed) this.#loop.wake(name, { source: 'daemon', event: 'start' });
  }

  /** They need the loop, every source and the other parts. */
  endOrders(options: { readonly graceMs: number }): Promise<void> {
    return this.#underWay.stop(options);
  }

  async stop(options: { readonly graceMs: number }): Promise<void> {
    this.#stopped = true;
    for (const { timer } of this.#timers.values()) clearTimeout(timer);
    await Promise.all([this.#loop.stop(options), this.#crashes.stop()]);
    for (const { source, record } of this.#followed) {
      source.close();
      record.release();
    }
    for (const follow of this.#services) follow.release();
  }

  /** Ready when every cluster has its record. */
  ready(): Readiness {
    const missing = this.#followed.filter(({ name }) => this.#follower.record(name) === undefined);
    return toReadiness(missing.map(({ name }) => `record of the cluster ${name}`));
  }

  /** The record of each cluster in Consul, and what is wrong with it. */
  list(): readonly ClusterState[] {
    return this.#followed.map(({ name, source }) => ({
      name,
      record: this.#follower.record(name) ?? null,
      problem: this.#follower.problem(name) ?? null,
      nodes: source.addresses,
      unwell: this.#follower.unwell(name),
      crashes: this.#crashes.unordered(name),
      maintenance: this.#options.maintenance?.of(name) ?? null,
    }));
  }

  state(): unknown {
    return this.list();
  }

  /** A manual failover that loses no write; see lib/cluster/failover/run.ts. */
  async failOver(name: string, options: ClusterFailoverOptions): Promise<ClusterFailoverAnswer> {
    return this.#underWay.carryOut(() => new ClusterFailover(name, this.#partsFor(name), options).run());
  }

  /** What such a failover would do now. */
  async previewFailover(name: string, { node }: { readonly node: Address }): Promise<ClusterFailoverPreview> {
    const parts = this.#partsFor(name);
    const check = await new ClusterFailover(name, parts, { node }).check();
    const from = check.kind === 'ready' ? check.from : (masterInRecord(parts.record(), node) ?? null);
    const why = check.kind === 'ready' ? null : check.why;
    return { name, dryRun: true, verdict: verdicts[check.kind], why, from, to: node };
  }

  #makeCrashes(): ClusterCrashes {
    const { client, watches, naming, bridgeId, settledAfterMs, onReport } = this.#options;
    const { maintenance = noMaintenance, localNodes = () => [] } = this.#options;
    const clusters = this.#options.clusters.flatMap(({ name: cluster, onCrash, crashAfterMs }) => {
      const source = this.#followed.find(({ name }) => name === cluster)?.source;
      if (onCrash === 'wait' || source === undefined) return [];
      const wake = () => this.#loop.wake(cluster, { source: 'daemon', event: 'crash' });
      return { cluster, crashAfterMs, source, record: () => this.#follower.record(cluster), wake };
    });
    const followed = this.#options.clusters.map(({ name }) => name);
    const shared = { client, watches, naming, bridgeId, settledAfterMs, localNodes, maintenance, onReport };
    return new ClusterCrashes({ ...shared, clusters, followed });
  }

  #partsFor(name: string): ClusterFailoverParts {
    const followed = this.#followed.find((cluster) => cluster.name === name);
    if (followed === undefined) {
      const known = this.#followed.map((cluster) => cluster.name).join(', ') || 'none';
      throw new SwitchmasterError('not-found', `No cluster is called ${name} (known: ${known}).`);
    }
    return {
      source: followed.source,
      record: () => this.#follower.record(name),
      consulOutage: () => this.#follower.consulOutage(name),
      settledAfterMs: this.#options.settledAfterMs ?? settledAfterMs,
      wake: () => this.#loop.wake(name, { source: 'operator', event: 'failover' }),
      ends: this.#underWay.ends,
    };
  }

  #passNodes(): void {
    for (const [i, { source, name }] of this.#followed.entries()) {
      const wanted = this.#options.clusters[i];
      const found = wanted?.service === undefined ? [] : this.#instances(wanted.service).filter(tagged(name));
      source.follow([...(wanted?.seeds ?? []), ...found.map(({ address: host, port }) => ({ host, port }))]);
      this.#loop.wake(name, { source: 'consul', event: 'nodes' });
    }
  }

  #instances(service: string): readonly ServiceInstance[] {
    const state = this.#services.find(({ query }) => query.service === service)?.state;
    return (state && lastValue(state)) ?? [];
  }

  #schedule(name: string): void {
    const before = this.#timers.get(name);
    clearTimeout(before?.timer);
    const resyncMs = this.#options.clusters.find((cluster) => cluster.name === name)?.resyncMs;
    if (this.#stopped || resyncMs === undefined) return;
    const nowMs = performance.now();
    const movingSinceMs = this.#follower.moving(name) === 'moving' ? (before?.movingSinceMs ?? nowMs) : undefined;
    const isHurried = movingSinceMs !== undefined && nowMs - movingSinceMs < movingForMs;
    const timer = setTimeout(
      () => this.#loop.wake(name, { source: 'cluster', event: 'poll' }),
      isHurried ? Math.min(movingMs, resyncMs) : resyncMs,
    );
    this.#timers.set(name, { timer, movingSinceMs });
  }
}

/**
 * Four times the default cluster-node-timeout. A replica that was elected less than that before counts the votes of that election for
 * the next one, and takes over without a new epoch (cluster.c, clusterHandleSlaveFailover, auth_retry_time): the others reverse it.
 */
const settledAfterMs = 60_000;

const noMaintenance = { whyNotOnCrash: () => undefined, follow: () => () => undefined };

const verdicts = { ready: 'now', waiting: 'waits', refused: 'refused' } as const;

/** One service may have several clusters, each with its tag. Instances without a tag belong to all. */
function tagged(name: string): (instance: ServiceInstance) => boolean {
  return ({ tags }) => tags.length === 0 || tags.includes(nameTag(name));
}
