import { performance } from 'node:perf_hooks';
import { SwitchmasterError } from '../../errors.ts';
import type { PlannedPreview } from '../../http/views.ts';
import { OrdersUnderWay } from '../../loop/orders-under-way.ts';
import type { MaintenancePart } from '../../maintenance/part.ts';
import type { MasterRecord } from '../../model/record.ts';
import type { RebaseRequest } from '../hint.ts';
import type { MasterMemory } from '../memory.ts';
import type { BridgeSources } from '../sources.ts';
import type { Steering } from '../steering.ts';
import { failOver, previewFailover } from './planned.ts';
import type { PlannedFailoverParts, PlannedOptions, PlannedReport } from './planned-steps.ts';
import { RefusedHandOvers } from './refused-handovers.ts';

export interface BridgeOrdersOptions {
  readonly sources: BridgeSources;
  readonly memory: (name: string) => MasterMemory;
  readonly maintenance: MaintenancePart;
  /** The masters that the bridge follows. */
  readonly names: () => readonly string[];
  readonly steering: Steering;
  readonly requestRebase: (name: string, request: RebaseRequest) => void;
}

/** How long an operator waits for a new generation. */
const rebaseTimeoutMs = 5_000;

/** What an operator orders from the bridge. All reject with `not-found` for a master that it does not follow. */
export class BridgeOrders {
  readonly #options: BridgeOrdersOptions;
  readonly #refusedHandOvers = new RefusedHandOvers();
  readonly #underWay = new OrdersUnderWay();

  constructor(options: BridgeOrdersOptions) {
    this.#options = options;
  }

  async failOver(name: string, options: PlannedOptions): Promise<PlannedReport> {
    return this.#underWay.carryOut(() => failOver(name, this.#partsFor(name), options));
  }

  async previewFailover(name: string, { successor }: Pick<PlannedOptions, 'successor'>): Promise<PlannedPreview> {
    return previewFailover(name, this.#partsFor(name), successor === undefined ? {} : { successor });
  }

  /** Ends the failovers under way; those that have begun get most of `graceMs` for the rest. */
  stop(options: { readonly graceMs: number }): Promise<void> {
    return this.#underWay.stop(options);
  }

  async rebase(name: string): Promise<MasterRecord> {
    this.#requireMaster(name);
    const memory = this.#options.memory(name);
    const generation = memory.record?.generation ?? 0;
    const untilMs = performance.now() + rebaseTimeoutMs;
    this.#options.requestRebase(name, { kind: 'rebase-requested', untilMs });
    const wanted = (record: MasterRecord) => record.generation > generation;
    const record = await memory.whenRemembered(wanted, { timeoutMs: rebaseTimeoutMs });
    if (record !== undefined) return record;
    throw new SwitchmasterError('rebase-refused', memory.problem ?? `no new generation of ${name} began in time`);
  }

  #partsFor(name: string): PlannedFailoverParts {
    this.#requireMaster(name);
    const { sources, memory, maintenance, steering } = this.#options;
    const { sentinels, redis, records } = sources;
    const consulOutage = () => records.outage;
    const refusedHandOvers = this.#refusedHandOvers;
    const { ends } = this.#underWay;
    return { sentinels, redis, memory: memory(name), consulOutage, maintenance, steering, refusedHandOvers, ends };
  }

  #requireMaster(name: string): void {
    const names = this.#options.names();
    if (names.includes(name)) return;
    throw new SwitchmasterError('not-found', `No master is called ${name} (known: ${names.join(', ') || 'none'}).`);
  }
}
