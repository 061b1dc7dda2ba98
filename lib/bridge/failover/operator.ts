import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { SwitchmasterError } from '../../errors.ts';
import type { MasterControls, PlannedAnswer } from '../../http/views.ts';
import type { Outcome, RunReport } from '../../loop/outcome.ts';
import { formatAddress } from '../../model/address.ts';
import type { MasterRecord } from '../../model/record.ts';
import type { PlannedOptions, PlannedReport, PlannedStep } from './planned-steps.ts';

/** Carries out the operator's orders: see lib/bridge/part.ts. */
export interface OrderedBridge {
  failOver(name: string, options: PlannedOptions): Promise<PlannedReport>;
  rebase(name: string): Promise<MasterRecord>;
}

export interface OperatorOptions {
  /** The bridge of this node, if it runs one. */
  readonly bridge: () => OrderedBridge | undefined;
  /** The outcome of an order. */
  readonly onReport: (report: RunReport) => void;
  /** Each step of an order, for the journal and the log. A step is not a run of its own. */
  readonly onStep: (report: RunReport) => void;
}

/** The loop's name in reports of steps. Reports of the order itself have `failover` or `rebase`. */
const stepLoop = 'failover-step';

/** Carries out orders of operators, one at a time for each master, and reports them like every other run. */
export class Operator implements MasterControls {
  readonly #options: OperatorOptions;
  readonly #underWay = new Map<string, string>();

  constructor(options: OperatorOptions) {
    this.#options = options;
  }

  failOver(name: string, options: Pick<PlannedOptions, 'successor' | 'timeoutMs'>): Promise<PlannedAnswer> {
    return this.#carryOut('failover', name, {
      run: async (order) => {
        const onStep = (step: PlannedStep, elapsedMs: number): void => {
          const summary = `${stepWords[step]} (${elapsedMs} ms)`;
          const outcome: Outcome = { kind: 'applied', summary, details: { step, elapsedMs } };
          this.#options.onStep(reportOf(order, { loop: stepLoop, outcome }));
        };
        const { offsets, ...report } = await this.#bridge().failOver(name, { ...options, onStep });
        const inherited = Number.isFinite(offsets.inherited) ? offsets.inherited : null;
        return { ...report, offsets: { ...offsets, inherited } };
      },
      describe: (report) => ({ cause: 'planned', ...report }),
      summarize: ({ from, to, withoutWritesMs }) =>
        `failed over as planned from ${formatAddress(from)} to ${formatAddress(to)}: ${withoutWritesMs} ms without writes`,
    });
  }

  rebase(name: string): Promise<MasterRecord> {
    return this.#carryOut('rebase', name, {
      run: () => this.#bridge().rebase(name),
      describe: (record) => ({ cause: 'rebase', record }),
      summarize: ({ generation, epoch, master }) =>
        `generation ${generation} begins with ${formatAddress(master)} at epoch ${epoch}`,
    });
  }

  async #carryOut<T>(
    loop: 'failover' | 'rebase',
    name: string,
    order: {
      readonly run: (order: Order) => Promise<T>;
      readonly describe: (result: T) => Record<string, unknown>;
      readonly summarize: (result: T) => string;
    },
  ): Promise<T> {
    const before = this.#underWay.get(name);
    if (before !== undefined) {
      throw new SwitchmasterError(`${loop}-refused`, `A ${before} of ${name} is under way: wait until it has ended.`);
    }
    this.#underWay.set(name, loop);
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
      this.#underWay.delete(name);
    }
  }

  #bridge(): OrderedBridge {
    const bridge = this.#options.bridge();
    if (bridge === undefined) throw new SwitchmasterError('not-found', 'This node runs no bridge.');
    return bridge;
  }
}

interface Order {
  readonly name: string;
  readonly event: string;
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
