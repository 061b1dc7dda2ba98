import { performance } from 'node:perf_hooks';
import type { ConsulClient } from '../client/consul.ts';
import type { RedisAccess } from '../client/redis.ts';
import { RedisPool } from '../client/redis-pool.ts';
import { acquireLease, type Lease } from '../consul/lock.ts';
import type { CatalogWatches } from '../consul/watches.ts';
import { SwitchmasterError } from '../errors.ts';
import { Loop } from '../loop/loop.ts';
import type { RunReport } from '../loop/outcome.ts';
import { type Address, formatAddress } from '../model/address.ts';
import { externalNode, type Naming, steeringKey } from '../model/naming.ts';
import type { MasterRecord } from '../model/record.ts';
import type { Part, Readiness } from '../part.ts';
import { type CompletionReport, FailoverCompletion } from './failover/completion.ts';
import { failOver } from './failover/planned.ts';
import type { PlannedOptions, PlannedReport } from './failover/planned-steps.ts';
import { Fencer } from './fencing/fencer.ts';
import type { FenceMode } from './fencing/plan.ts';
import { FoundSentinels } from './observe/found-sentinels.ts';
import { LagSource } from './observe/lag.ts';
import { PromotionSource } from './observe/promotion-watch.ts';
import { RecordSource } from './observe/records.ts';
import { type SentinelHint, SentinelSource } from './observe/sentinels.ts';
import type { FollowMode } from './plan/decision.ts';
import { LagHistory } from './plan/lag.ts';
import { ProblemReporter } from './problem-reporter.ts';
import { Bridge } from './reconciler.ts';
import { completionReport, fenceReport, lateReport } from './reports.ts';
import { BridgeView } from './view.ts';
import { RecordWriter } from './writer.ts';

export interface BridgePartOptions {
  readonly client: ConsulClient;
  readonly watches: CatalogWatches;
  readonly naming: Naming;
  readonly bridgeId: string;
  readonly sentinels: readonly Address[];
  /** Sentinels are looked up in Consul by this service as well. */
  readonly sentinelService?: string;
  readonly sentinelAccess: RedisAccess;
  readonly redisAccess: RedisAccess;
  readonly matches: (master: string) => boolean;
  readonly resyncMs: number;
  readonly roleDeadlineMs: number;
  readonly rebaseAfterMs: number;
  readonly follow: FollowMode;
  readonly fence: FenceMode;
  /** Told of a new master before Consul is. */
  readonly onDecision?: (record: MasterRecord) => void;
  readonly onReport: (report: RunReport) => void;
  readonly onLink: (link: {
    readonly sentinel: Address;
    readonly up: boolean;
    readonly error?: SwitchmasterError;
  }) => void;
}

/** The bridge with its sources, its writer and its loop: what a node runs that has a `sentinel` section. */
export class BridgePart implements Part {
  readonly name = 'bridge';
  readonly masters: BridgeView;
  readonly #sentinels: SentinelSource;
  readonly #records: RecordSource;
  readonly #redis: RedisPool;
  readonly #lags: LagSource;
  readonly #troubles: ProblemReporter;
  readonly #promotions: PromotionSource;
  readonly #bridge: Bridge;
  readonly #failoverCompletion: FailoverCompletion | undefined;
  readonly #enter: (name: string, signal: AbortSignal) => Promise<Lease>;
  readonly #loop: Loop;
  readonly #found: FoundSentinels | undefined;

  constructor(options: BridgePartOptions) {
    const { naming, client, bridgeId, watches, sentinelService: service } = options;
    const onFound = (addresses: readonly Address[]): void => this.#sentinels.give(addresses);
    if (service !== undefined) this.#found = new FoundSentinels({ watches, naming, service, onFound });
    this.#redis = new RedisPool(options.redisAccess, {
      onUp: (address, owners) => {
        for (const name of owners)
          this.#loop.wake(name, { source: `redis ${formatAddress(address)}`, event: 'connected' });
      },
      onStanding: (owners) => {
        for (const name of owners) this.#troubles.tell(name, this.masters.troubles(name));
      },
    });
    this.#troubles = new ProblemReporter(options.onReport);
    this.#lags = new LagSource({
      redis: this.#redis,
      records: () => this.masters.records(),
      makeKeeper: () => new LagHistory(),
    });
    this.#promotions = new PromotionSource({
      redis: this.#redis,
      onPromoted: (name, { sentinel, selected }) => {
        this.#bridge.announce(name, { sentinel, lookAt: selected });
        this.#loop.wake(name, { source: `redis ${formatAddress(selected)}`, event: 'promoted' });
      },
    });
    this.#records = new RecordSource({
      watches: options.watches,
      naming,
      onChange: (changed) => this.#consulChanged(changed),
    });
    this.#sentinels = new SentinelSource({
      addresses: options.sentinels,
      access: options.sentinelAccess,
      matches: options.matches,
      discoverMs: options.resyncMs,
      onLink: options.onLink,
      onHint: (name, hint) => this.#hinted(name, hint, options.follow),
    });
    const parts = { sentinels: this.#sentinels, redis: this.#redis };
    const fencer = new Fencer({
      ...parts,
      mode: options.fence,
      onReport: (report) => options.onReport(fenceReport(report)),
    });
    this.#enter = (name, signal) =>
      acquireLease({ client, key: steeringKey(naming, name), limit: 1, holder: bridgeId }, signal);
    if (options.fence !== 'none') {
      const onReport = (report: CompletionReport) => options.onReport(completionReport(report));
      this.#failoverCompletion = new FailoverCompletion({ ...parts, fencer, enter: this.#enter, onReport });
    }
    const view = { ...parts, records: this.#records, lags: this.#lags, matches: options.matches };
    this.masters = new BridgeView({ ...view, memory: (name) => this.#bridge.memory(name) });
    this.#bridge = new Bridge({
      ...parts,
      records: this.#records,
      fencer,
      ...(this.#failoverCompletion === undefined ? {} : { failoverCompletion: this.#failoverCompletion }),
      follow: options.follow,
      writer: new RecordWriter({
        client,
        naming,
        bridgeId,
        ...(options.onDecision === undefined ? {} : { onDecision: options.onDecision }),
      }),
      naming,
      readNode: async (node) => (await client.read({ kind: 'node', node })).value,
      roleDeadlineMs: options.roleDeadlineMs,
      rebaseAfterMs: options.rebaseAfterMs,
      onLate: (name, outcome) => options.onReport(lateReport(name, outcome)),
    });
    this.#loop = new Loop({
      reconciler: this.#bridge,
      resyncMs: options.resyncMs,
      // Consul's return is noticed at once by its watches; this is for a Consul that reads but does not write.
      backoff: { initialMs: 50, maxMs: 2_000 },
      onReport: (report) => {
        options.onReport(report);
        this.#troubles.tell(report.key, this.masters.troubles(report.key));
      },
    });
  }

  start(): void {
    this.#sentinels.start();
    this.#lags.start();
  }

  async stop(options: { readonly graceMs: number }): Promise<void> {
    await Promise.all([this.#loop.stop(options), this.#failoverCompletion?.stop()]);
    this.#found?.release();
    this.#sentinels.close();
    this.#records.release();
    this.#promotions.close();
    this.#lags.close();
    this.#redis.close();
  }

  /** Ready when Consul was read, some Sentinel answers, and every master that they know has its record. */
  ready(): Readiness {
    const consul = this.#records.missing();
    if (consul !== undefined) return { ready: false, missing: [`Consul (${consul})`] };
    if (!this.#sentinels.sentinels.some(({ up }) => up)) return { ready: false, missing: ['any Sentinel'] };
    const names = this.masters.names;
    if (names.length === 0) return { ready: false, missing: ['a master that is wanted: the Sentinels monitor none'] };
    const missing = names.filter((name) => this.masters.held(name) === undefined).map((name) => `record of ${name}`);
    return missing.length === 0 ? { ready: true } : { ready: false, missing };
  }

  /** Every Sentinel that is known, for the API and the log. */
  get sentinels(): SentinelSource['sentinels'] {
    return this.#sentinels.sentinels;
  }

  state(): unknown {
    const sentinels = this.sentinels.map(({ address, up, error }) => ({ address, up, error: error?.message ?? null }));
    const masters = this.masters
      .list()
      .map((master) => ({ ...master, trouble: this.#bridge.memory(master.name).trouble ?? null }));
    return { sentinels, consul: this.#records.outage ?? null, masters };
  }

  /** A planned failover that loses nothing; see lib/bridge/failover/planned.ts. */
  failOver(name: string, options: PlannedOptions): Promise<PlannedReport> {
    this.#requireMaster(name);
    const memory = this.#bridge.memory(name);
    const [sentinels, redis, enter] = [this.#sentinels, this.#redis, this.#enter];
    const parts = { sentinels, redis, memory, consulOutage: () => this.#records.outage, enter };
    return failOver(name, parts, options);
  }

  /** A new generation by hand: the record as it is then. Rejects where the Sentinels do not allow it. */
  async rebase(name: string): Promise<MasterRecord> {
    this.#requireMaster(name);
    const memory = this.#bridge.memory(name);
    const generation = memory.remembered?.generation ?? 0;
    memory.rebaseAskedUntilMs = performance.now() + operatorTimeoutMs;
    this.#loop.wake(name, { source: 'operator', event: 'rebase' });
    const wanted = (record: MasterRecord) => record.generation > generation;
    const record = await memory.whenRemembered(wanted, { timeoutMs: operatorTimeoutMs });
    if (record !== undefined) return record;
    throw new SwitchmasterError('rebase-refused', memory.trouble ?? `${name} got no new generation in time`);
  }

  #requireMaster(name: string): void {
    if (this.masters.names.includes(name)) return;
    const known = this.masters.names.join(', ') || 'none';
    throw new SwitchmasterError('not-found', `No master is called ${name} (known: ${known}).`);
  }

  /** Wakes one master, or all. */
  wake(name: string | 'all', hint: { readonly source: string; readonly event: string }): void {
    if (name === 'all') this.#loop.wakeAll(hint);
    else this.#loop.wake(name, hint);
  }

  #hinted(name: string, { sentinel, event, election }: SentinelHint, follow: FollowMode): void {
    if (follow === 'promotion') {
      if (election !== undefined) {
        if (this.#promotions.start(name, { sentinel, ...election }) === 'begun')
          void this.#bridge.pauseBeforePromotion(name, sentinel);
      } else if (event.event === '+switch-master') this.#promotions.end(name);
      else if (event.event.startsWith('-failover-abort')) this.#promotions.abandon(name, sentinel);
    }
    if (event.event === '+switch-master') this.#bridge.announce(name, { sentinel, lookAt: event.lookAt });
    this.#loop.wake(name, { source: `sentinel ${formatAddress(sentinel)}`, event: event.event });
  }

  #consulChanged(changed: ReadonlySet<string> | 'all'): void {
    const known = new Set([...this.#loop.keys, ...this.masters.names]);
    const woken =
      changed === 'all' ? known : [...known].filter((name) => changed.has(name) || changed.has(externalNode(name)));
    for (const name of woken) this.#loop.wake(name, { source: 'consul', event: 'changed' });
  }
}

/** How long an operator waits for what was asked by hand. */
const operatorTimeoutMs = 5_000;
