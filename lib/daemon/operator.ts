import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { PlannedOptions, PlannedReport, PlannedStep } from '../bridge/part.ts';
import { SwitchmasterError } from '../errors.ts';
import type {
  ClusterControls,
  ClusterFailoverAnswer,
  ClusterFailoverOptions,
  MaintenanceControls,
  MasterControls,
  PlannedAnswer,
  PlannedPreview,
} from '../http/views.ts';
import type { Outcome, RunReport } from '../loop/outcome.ts';
import { formatAddress } from '../model/address.ts';
import type { MasterRecord } from '../model/record.ts';

/** Carries out the operator's orders: see lib/bridge/part.ts. */
export interface OrderedBridge {
  failOver(name: string, options: PlannedOptions): Promise<PlannedReport>;
  previewFailover(name: string, options: Pick<PlannedOptions, 'successor'>): Promise<PlannedPreview>;
  rebase(name: string): Promise<MasterRecord>;
}

export interface OperatorOptions {
  /** The bridge of this node, if it runs one. */
  readonly bridge: () => OrderedBridge | undefined;
  /** The part that follows clusters, if this node has one. */
  readonly clusters: () => ClusterControls | undefined;
  /** Throws `not-found` where this node orders nothing. */
  readonly maintenance: () => MaintenanceControls;
  /** The outcome of an order. */
  readonly onReport: (report: RunReport) => void;
  /** Each step of an order, for the journal and the log. A step is not a run of its own. */
  readonly onStep: (report: RunReport) => void;
}

/** The loop's name in reports of steps. Reports of the order itself have the order's. */
const stepLoop = 'failover-step';

type OrderLoop = 'failover' | 'cluster-failover' | 'rebase';

/** Carries out orders of operators, one at a time for each master or cluster, and reports them like every other run. */
export class Operator {
  readonly masters: MasterControls = {
    failOver: (name, options) => this.#failOver(name, options),
    previewFailover: async (name, options) => this.#bridge().previewFailover(name, options),
    rebase: (name) => this.#rebase(name),
  };
  readonly clusters: ClusterControls = {
    failOver: (name, options) => this.#failOverCluster(name, options),
    previewFailover: async (name, options) => this.#clusters().previewFailover(name, options),
  };
  /** The part itself reports what begins and ends, also what somebody orders elsewhere. */
  readonly maintenance: MaintenanceControls = { order: async (order) => this.#options.maintenance().order(order) };
  readonly #options: OperatorOptions;
  readonly #underWay = new Map<string, 'failover' | 'rebase'>();

  constructor(options: OperatorOptions) {
    this.#options = options;
  }

  #failOver(
    name: string,
    options: Pick<PlannedOptions, 'successor' | 'timeoutMs' | 'waitMs' | 'signal'>,
  ): Promise<PlannedAnswer> {
    return this.#carryOut('failover', name, {
      run: async (order) => {
        const wish = { ...options, ...this.#progress(order) };
        const { offsets, ...rest } = await this.#bridge().failOver(name, wish);
        const inherited = Number.isFinite(offsets.inherited) ? offsets.inherited : null;
        return { ...rest, offsets: { ...offsets, inherited } };
      },
      describe: (report) => ({ cause: 'planned', ...report }),
      summarize: ({ from, to, manner, withoutWritesMs }) => {
        const way = `from ${formatAddress(from)} to ${formatAddress(to)}`;
        const kind = manner === 'coordinated' ? ', coordinated by Sentinel' : '';
        const atMost = manner === 'coordinated' ? 'at most ' : '';
        return `failed over as planned ${way}${kind}: ${atMost}${withoutWritesMs} ms without writes`;
      },
    });
  }

  #failOverCluster(name: string, options: ClusterFailoverOptions): Promise<ClusterFailoverAnswer> {
    return this.#carryOut('cluster-failover', name, {
      run: (order) => this.#clusters().failOver(name, { ...options, ...this.#progress(order) }),
      describe: (report) => ({ cause: 'planned', ...report }),
      summarize: ({ from, to, epoch }) =>
        `${formatAddress(to)} took over from ${formatAddress(from)} as planned, at epoch ${epoch}`,
    });
  }

  #rebase(name: string): Promise<MasterRecord> {
    return this.#carryOut('rebase', name, {
      run: () => this.#bridge().rebase(name),
      describe: (record) => ({ cause: 'rebase', record }),
      summarize: ({ generation, epoch, master }) =>
        `generation ${generation} begins with ${formatAddress(master)} at epoch ${epoch}`,
    });
  }

  /** Reports each step of an order, and what it waits for. */
  #progress(order: Order): {
    readonly onStep: (step: PlannedStep, elapsedMs: number) => void;
    readonly onWait: (why: string, elapsedMs: number) => void;
  } {
    const report = (outcome: Outcome): void => this.#options.onStep(reportOf(order, { loop: stepLoop, outcome }));
    const words = order.event === 'cluster-failover' ? { ...stepWords, ...clusterStepWords } : stepWords;
    return {
      onStep: (step, elapsedMs) =>
        report({ kind: 'applied', summary: `${words[step]} (${elapsedMs} ms)`, details: { step, elapsedMs } }),
      onWait: (why, elapsedMs) =>
        report({ kind: 'held', summary: `waiting: ${why} (${elapsedMs} ms)`, details: { step: 'waiting', elapsedMs } }),
    };
  }

  async #carryOut<T>(
    loop: OrderLoop,
    name: string,
    order: {
      readonly run: (order: Order) => Promise<T>;
      readonly describe: (result: T) => Record<string, unknown>;
      readonly summarize: (result: T) => string;
    },
  ): Promise<T> {
    const kind = loop === 'rebase' ? 'rebase' : 'failover';
    // A master and a cluster may have one name.
    const subject = loop === 'cluster-failover' ? `cluster ${name}` : name;
    const before = this.#underWay.get(subject);
    if (before !== undefined) {
      throw new SwitchmasterError(`${kind}-refused`, `A ${before} of ${name} is under way: wait until it has ended.`);
    }
    this.#underWay.set(subject, kind);
    const placed = { name, event: loop, reconcileId: randomUUID().slice(0, 8), startedMs: performance.now() };
    const report = (outcome: Outcome): void => this.#options.onReport(reportOf(placed, { loop, outcome }));
    try {
      const result = await order.run(placed);
      report({ kind: 'applied', summary: order.summarize(result), details: order.describe(result) });
      return result;
    } catch (thrown) {
      const error = SwitchmasterError.from(thrown);
      report({ kind: 'failed', error });
      throw error;
    } finally {
      this.#underWay.delete(subject);
    }
  }

  #bridge(): OrderedBridge {
    const bridge = this.#options.bridge();
    if (bridge === undefined) throw new SwitchmasterError('not-found', 'This node runs no bridge.');
    return bridge;
  }

  #clusters(): ClusterControls {
    const clusters = this.#options.clusters();
    if (clusters === undefined)
      throw new SwitchmasterError(
        'not-found',
        'This node follows no Redis Cluster. To name the replica of a master of Sentinel, use --replica.',
      );
    return clusters;
  }
}

interface Order {
  readonly name: string;
  readonly event: OrderLoop;
  readonly reconcileId: string;
  readonly startedMs: number;
}

function reportOf(order: Order, reported: { readonly loop: string; readonly outcome: Outcome }): RunReport {
  const { name, event, reconcileId, startedMs } = order;
  return {
    ...reported,
    key: name,
    reconcileId,
    hints: [{ source: 'operator', event, receivedMs: startedMs }],
    startedMs,
    durationMs: performance.now() - startedMs,
    failures: reported.outcome.kind === 'failed' ? 1 : 0,
    nextMs: undefined,
  };
}

const stepWords: Readonly<Record<PlannedStep, string>> = {
  checked: 'the Sentinels agree, and a replica is in sync',
  paused: "the old master's writes wait",
  caughtUp: 'the replicas have all of its data',
  ordered: 'Sentinel was ordered to fail over',
  promoted: 'the new master takes writes',
  confirmed: 'a majority of the Sentinels confirms it',
  demoted: 'the old master is a replica',
};

const clusterStepWords: Readonly<Partial<Record<PlannedStep, string>>> = {
  checked: 'a majority of the masters agrees, and the replica is in sync',
  ordered: 'the replica was ordered to take over',
  confirmed: 'a majority of the masters and the record have it',
};
