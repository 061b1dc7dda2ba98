import type { ConsulClient } from '../client/consul.ts';
import type { SentinelConfig } from '../config/model.ts';
import type { CatalogWatches } from '../consul/watches.ts';
import { CrashEvidence } from '../crash/evidence.ts';
import type { RunReport } from '../loop/outcome.ts';
import type { MaintenancePart } from '../maintenance/part.ts';
import { makeMatcher } from '../model/glob.ts';
import { crashPrefix, type Naming } from '../model/naming.ts';
import type { MasterRecord } from '../model/record.ts';
import { FailoverCompletion } from './failover/completion.ts';
import { CrashOrders, type LocalMaster } from './failover/crash-orders.ts';
import { Fencer } from './fencing/fencer.ts';
import { Isolation } from './isolation/isolation.ts';
import type { LocalRedis } from './isolation/local-redis.ts';
import type { MasterMemory } from './memory.ts';
import { distinctViews } from './observe/sentinel-reading.ts';
import { completionReport, crashReport, fenceReport } from './reports.ts';
import type { BridgeSources } from './sources.ts';
import { Steering } from './steering.ts';

export interface BridgeActionsOptions {
  readonly client: ConsulClient;
  readonly watches: CatalogWatches;
  readonly naming: Naming;
  readonly bridgeId: string;
  readonly settings: SentinelConfig;
  readonly localMasters?: () => readonly LocalMaster[];
  readonly localRedis?: () => readonly LocalRedis[];
  readonly maintenance: MaintenancePart;
  readonly sources: BridgeSources;
  readonly memory: (name: string) => MasterMemory;
  /** The masters that the bridge follows. */
  readonly names: () => readonly string[];
  readonly records: () => readonly MasterRecord[];
  /** Judges a master again, because maintenance does not keep the bridge from acting any more. */
  readonly wake: (name: string) => void;
  /** The problems of a master changed. */
  readonly onProblem: (name: string) => void;
  readonly onReport: (report: RunReport) => void;
}

/** Everything that the bridge does to Redis and orders from Sentinels. It does none of it in maintenance. */
export class BridgeActions {
  readonly maintenance: MaintenancePart;
  readonly steering: Steering;
  readonly fencer: Fencer;
  /** Completes failovers whose leader died; undefined where that is not wanted. */
  readonly failoverCompletion: FailoverCompletion | undefined;
  /** Orders failovers of masters that crashed; undefined where that is not wanted. */
  readonly crashOrders: CrashOrders | undefined;
  readonly isolation: Isolation;
  readonly #options: BridgeActionsOptions;
  #unfollow: () => void = () => undefined;

  constructor(options: BridgeActionsOptions) {
    const { settings, sources, onReport } = options;
    this.#options = options;
    this.steering = new Steering(options);
    this.maintenance = options.maintenance;
    this.fencer = new Fencer({
      redis: sources.redis,
      settings,
      whyNot: (name) => this.maintenance.whyNot(name),
      onReport: (report) => onReport(fenceReport(report)),
    });
    this.failoverCompletion = settings.fence === 'none' ? undefined : this.#makeFailoverCompletion();
    this.crashOrders = settings.onCrash === 'wait' ? undefined : this.#makeCrashOrders();
    this.isolation = this.#makeIsolation();
  }

  start(): void {
    this.#unfollow = this.#followMaintenance();
    this.crashOrders?.start();
    this.isolation.start();
  }

  async stop(): Promise<void> {
    this.isolation.stop();
    this.#unfollow();
    await Promise.all([this.failoverCompletion?.stop(), this.crashOrders?.stop()]);
    await this.steering.stop();
  }

  #followMaintenance(): () => void {
    const { names } = this.#options;
    return this.maintenance.follow({
      names,
      onBegin: (begun) => {
        for (const name of begun) if (this.maintenance.whyNot(name) !== undefined) this.fencer.suspend(name);
      },
      onEnd: (ended) => {
        for (const name of ended) if (names().includes(name)) this.#judgeAnew(name);
      },
    });
  }

  #judgeAnew(name: string): void {
    this.failoverCompletion?.maintenanceEnded(name);
    this.crashOrders?.maintenanceEnded(name);
    this.#options.wake(name);
  }

  #makeFailoverCompletion(): FailoverCompletion {
    const { sources, onReport } = this.#options;
    return new FailoverCompletion({
      sentinels: sources.sentinels,
      redis: sources.redis,
      fencer: this.fencer,
      steering: this.steering,
      maintenance: this.maintenance,
      onReport: (report) => onReport(completionReport(report)),
    });
  }

  #makeIsolation(): Isolation {
    const { client, naming, settings, sources, memory, localRedis = () => [], onReport, onProblem } = this.#options;
    return new Isolation({
      localRedis,
      sources: { client, naming, sentinels: sources.sentinels },
      matches: makeMatcher(settings.masters),
      known: (name) => ({
        record: memory(name).record,
        views: distinctViews(memory(name).lastReadings?.readings ?? []),
      }),
      inMaintenance: (name) => {
        const verdict = this.maintenance.verdict(name);
        return verdict.kind === 'on' ? verdict.why : undefined;
      },
      formerMaster: settings.fence === 'none' ? 'leave' : 'pause',
      onReport,
      onProblem,
    });
  }

  #makeCrashOrders(): CrashOrders {
    const { client, watches, naming, bridgeId, settings, sources, onReport } = this.#options;
    const { memory, records, localMasters = () => [] } = this.#options;
    const { sentinels, redis, lags } = sources;
    const { masters, crashAfterMs } = settings;
    return new CrashOrders({
      sentinels,
      redis,
      lags,
      evidence: new CrashEvidence({ client, watches, prefix: crashPrefix(naming), bridgeId, masters }),
      memory,
      records,
      localMasters,
      bridgeId,
      crashAfterMs,
      steering: this.steering,
      maintenance: this.maintenance,
      onReport: (report) => onReport(crashReport(report)),
    });
  }
}
