import type { ConsulClient } from '../client/consul.ts';
import type { SentinelConfig } from '../config/model.ts';
import type { Expectations } from '../consul/expectations.ts';
import type { CatalogWatches } from '../consul/watches.ts';
import type { PlannedPreview } from '../http/views.ts';
import { Loop } from '../loop/loop.ts';
import type { RunReport } from '../loop/outcome.ts';
import type { MaintenancePart } from '../maintenance/part.ts';
import type { Address } from '../model/address.ts';
import { makeMatcher } from '../model/glob.ts';
import { nodeKey } from '../model/master-node.ts';
import { externalNode, type Naming } from '../model/naming.ts';
import type { MasterRecord } from '../model/record.ts';
import { type Part, type Readiness, toReadiness } from '../part.ts';
import { BridgeActions } from './actions.ts';
import { RecordWriter } from './apply/writer.ts';
import type { LocalMaster } from './failover/crash-orders.ts';
import { BridgeOrders } from './failover/orders.ts';
import type { PlannedOptions, PlannedReport } from './failover/planned-steps.ts';
import { masterToPause } from './fencing/selection.ts';
import { type BridgeHint, consulAnswers, consulChange } from './hint.ts';
import type { LocalRedis } from './isolation/local-redis.ts';
import { rememberMasters } from './memories.ts';
import type { MasterMemory } from './memory.ts';
import type { SentinelSource } from './observe/sentinels.ts';
import { ProblemReporter } from './problem-reporter.ts';
import { Bridge } from './reconciler.ts';
import { lateReport } from './reports.ts';
import { BridgeSources, type SentinelLinkState } from './sources.ts';
import { BridgeView } from './view.ts';

export type { LocalMaster } from './failover/crash-orders.ts';
export type { PlannedOptions, PlannedReport, PlannedStep } from './failover/planned-steps.ts';
export type { LocalRedis } from './isolation/local-redis.ts';

export interface BridgePartOptions {
  readonly client: ConsulClient;
  readonly watches: CatalogWatches;
  readonly naming: Naming;
  /** Who signs a record: unique among the bridges. */
  readonly bridgeId: string;
  readonly settings: SentinelConfig;
  /** Gets the record of a failover when its transaction is on its way, before Consul answers; never a new generation. */
  readonly onDecision?: (record: MasterRecord) => void;
  /** Gets the masters that failovers under way will have. */
  readonly expectations?: Pick<Expectations, 'begin' | 'abort'>;
  /** Gets each Sentinel's `+reboot`: a server of a master started again. */
  readonly onReboot?: (message: string) => void;
  /** A Sentinel monitors a master no more. */
  readonly onUnmonitored?: (name: string, sentinel: Address) => void;
  /** The masters whose processes this daemon registers. */
  readonly localMasters?: () => readonly LocalMaster[];
  /** The Redis servers that this daemon registers and whose writes it pauses where they are isolated masters. Default: none. */
  readonly localRedis?: () => readonly LocalRedis[];
  /** Whether the bridge may act about its masters. */
  readonly maintenance: MaintenancePart;
  readonly onReport: (report: RunReport) => void;
  readonly onLink: (link: SentinelLinkState) => void;
}

/** The bridge with its sources, its writer and its loop: what a node runs that has a `sentinel` section. */
export class BridgePart implements Part {
  readonly name = 'bridge';
  readonly masters: BridgeView;
  readonly #options: BridgePartOptions;
  readonly #memory: (name: string) => MasterMemory;
  readonly #sources: BridgeSources;
  readonly #actions: BridgeActions;
  readonly #orders: BridgeOrders;
  readonly #problems: ProblemReporter;
  readonly #loop: Loop<BridgeHint>;
  readonly #nodeKeys = new Map<string, string>();

  constructor(options: BridgePartOptions) {
    const { settings, onReport } = options;
    this.#options = options;
    this.#memory = rememberMasters();
    this.#problems = new ProblemReporter(onReport);
    this.#sources = this.#openSources();
    const { sentinels, records, redis, lags } = this.#sources;
    const matches = makeMatcher(settings.masters);
    this.#actions = this.#makeActions();
    const [memory, { maintenance, isolation, crashOrders }] = [this.#memory, this.#actions];
    const scope = () => options.client.scope;
    const crash = (name: string) => crashOrders?.unordered(name) ?? null;
    const sources = { sentinels, records, redis, lags };
    this.masters = new BridgeView({ ...sources, memory, matches, maintenance, isolation, crash, scope });
    this.#orders = new BridgeOrders({
      sources: this.#sources,
      memory: this.#memory,
      names: () => this.masters.names,
      maintenance,
      steering: this.#actions.steering,
      requestRebase: (name, hint) => this.#loop.wake(name, { source: 'operator', event: 'rebase', ...hint }),
    });
    this.#loop = new Loop({
      reconciler: this.#makeBridge(),
      resyncMs: settings.resyncMs,
      calm: { keys: 10, mostTimes: 40, mostMs: 1_200_000, isCalm: (name) => this.masters.isCalm(name) },
      // The watches notice Consul's return at once; this is for a Consul that can be read but not written.
      backoff: { initialMs: 50, maxMs: 2_000 },
      onReport: (report) => {
        onReport(report);
        this.#reportProblems([report.key]);
      },
    });
  }

  start(): void {
    this.#actions.start();
    this.#sources.start();
    // After a reload the watches may have all values already, and then report nothing.
    if (this.#sources.records.missing() === undefined) this.#consulChanged('all');
  }

  /** They need the loop, every source and the other parts: writes may wait for them. */
  endOrders(options: { readonly graceMs: number }): Promise<void> {
    return this.#orders.stop(options);
  }

  async stop(options: { readonly graceMs: number }): Promise<void> {
    await Promise.all([this.#loop.stop(options), this.#actions.stop()]);
    this.#sources.close();
  }

  /** Ready when Consul was read, some Sentinel answers, and every master that the Sentinels monitor has its record. */
  ready(): Readiness {
    const consul = this.#sources.records.missing();
    if (consul !== undefined) return { ready: false, missing: [`Consul (${consul})`] };
    if (!this.sentinels.some(({ up }) => up)) return { ready: false, missing: ['any Sentinel'] };
    const names = this.masters.names;
    if (names.length === 0) return { ready: false, missing: ['a master that is wanted: the Sentinels monitor none'] };
    const missing = names
      .filter((name) => this.masters.held(name) === undefined && this.#memory(name).refusal === undefined)
      .map((name) => `record of ${name}`);
    return toReadiness(missing);
  }

  /** Every Sentinel that is known, for the API and the log. */
  get sentinels(): SentinelSource['sentinels'] {
    return this.#sources.sentinels.sentinels;
  }

  state(): unknown {
    const sentinels = this.sentinels.map(({ address, up, error }) => ({ address, up, error: error?.message ?? null }));
    const masters = this.masters
      .list()
      .map((master) => ({ ...master, problem: this.#memory(master.name).problem ?? null }));
    return { sentinels, consul: this.#sources.records.outage ?? null, masters };
  }

  /** How long nothing has happened that a failover could be part of, in milliseconds. */
  get quietMs(): number {
    return this.#loop.quietMs;
  }

  /** A planned failover that loses no write; see lib/bridge/failover/planned.ts. */
  failOver(name: string, options: PlannedOptions): Promise<PlannedReport> {
    return this.#orders.failOver(name, options);
  }

  /** What such a failover would do now. */
  previewFailover(name: string, options: Pick<PlannedOptions, 'successor'>): Promise<PlannedPreview> {
    return this.#orders.previewFailover(name, options);
  }

  /** A new generation by hand. Returns its record; throws `rebase-refused` where the Sentinels do not allow it. */
  rebase(name: string): Promise<MasterRecord> {
    return this.#orders.rebase(name);
  }

  /** Wakes one master, or all. */
  wake(name: string | 'all', hint: { readonly source: string; readonly event: string }): void {
    if (name === 'all') this.#loop.wakeAll(hint);
    else this.#loop.wake(name, hint);
  }

  #openSources(): BridgeSources {
    return new BridgeSources({
      ...this.#options,
      wake: (name, hint) => this.#loop.wake(name, hint),
      onConsulChange: (changed) => this.#consulChanged(changed),
      onSelection: async (name, selection) => {
        const from = masterToPause(selection, this.#memory(name));
        if (from !== undefined) await this.#actions.fencer.pauseBeforePromotion(name, from);
      },
      onReboot: (message) => this.#options.onReboot?.(message),
      onUnmonitored: (...removed) => this.#options.onUnmonitored?.(...removed),
      onElectionFailed: (name) => this.#actions.crashOrders?.electionFailed(name),
      onUp: (address, names) => this.#actions.crashOrders?.connected(address, names),
      onClosed: (address, names) => this.#actions.crashOrders?.connectionClosed(address, names),
      onAccessChange: (names) => this.#reportProblems(names),
      isMonitored: (name, address) => this.masters.isMonitored(name, address),
      record: (name) => this.#memory(name).record,
      records: () => this.masters.records(),
    });
  }

  #makeActions(): BridgeActions {
    return new BridgeActions({
      ...this.#options,
      sources: this.#sources,
      memory: this.#memory,
      names: () => this.masters.names,
      records: () => this.masters.records(),
      wake: (name) => this.#loop.wake(name, { source: 'consul', event: 'maintenance ended' }),
      onProblem: (name) => this.#reportProblems([name]),
    });
  }

  #makeBridge(): Bridge {
    const { client, naming, bridgeId, settings, onDecision, onReport } = this.#options;
    const { sentinels, records, redis } = this.#sources;
    const memory = this.#memory;
    const announced = onDecision === undefined ? {} : { onDecision };
    return new Bridge({
      client,
      sentinels,
      records,
      redis,
      memory,
      settings,
      naming,
      precedence: client.precedence,
      fencer: this.#actions.fencer,
      failoverCompletion: this.#actions.failoverCompletion,
      writer: new RecordWriter({ client, naming, bridgeId, memory, names: () => this.masters.names, ...announced }),
      onLate: (name, outcome) => onReport(lateReport(name, outcome)),
    });
  }

  #reportProblems(names: readonly string[]): void {
    for (const name of names) this.#problems.report(name, this.masters.messages(name));
  }

  #consulChanged(changed: ReadonlySet<string> | 'all'): void {
    for (const name of new Set([...this.#loop.keys, ...this.masters.names]))
      if (changed === 'all') this.#loop.wake(name, consulAnswers);
      else if (changed.has(name) || changed.has(this.#nodeKeyOf(name)))
        this.#loop.wake(name, consulChange(this.masters.held(name)));
  }

  /** Each change in Consul is compared with every master. */
  #nodeKeyOf(name: string): string {
    const key = this.#nodeKeys.get(name) ?? nodeKey(externalNode(this.#options.naming, name));
    this.#nodeKeys.set(name, key);
    return key;
  }
}
