import { SwitchmasterError } from '../../errors.ts';
import { whyOrdersEnd } from '../../loop/orders-under-way.ts';
import { holdsWithin, Stages } from '../../loop/stages.ts';
import { formatAddress } from '../../model/address.ts';
import type { MasterRecord } from '../../model/record.ts';
import { type PlannedFailoverParts, type PlannedOptions, type PlannedStep, stepTimeoutMs } from './planned-steps.ts';

const pollMs = 2;
/** Sentinel promotes a replica some 200 ms after the order, and later on a busy machine. */
const leastOrderedMs = 5_000;
/** So long a failover that was ordered is followed although the part that carries it out stops. */
const promisingMs = 2_000;

/** How far one planned failover has come. */
export class PlannedCourse {
  readonly name: string;
  readonly parts: PlannedFailoverParts;
  readonly options: PlannedOptions;
  readonly stages: Stages<PlannedStep>;
  /** What a failure from now on may cost: a sentence. */
  risk = 'Nothing has changed.';

  constructor(name: string, parts: PlannedFailoverParts, options: PlannedOptions) {
    this.name = name;
    this.parts = parts;
    this.options = options;
    this.stages = new Stages(options.onStep);
  }

  /**
   * The limit for each step. From the order on at least `leastOrderedMs`: nobody can call the order back, so writes that were
   * released before the promotion would be lost.
   */
  get timeoutMs(): number {
    const { timeoutMs = stepTimeoutMs } = this.options;
    return this.stages.times.ordered === undefined ? timeoutMs : this.#orderedTimeoutMs;
  }

  /** As long as all steps may take that writes wait for. */
  get pauseMs(): number {
    return 3 * this.#orderedTimeoutMs;
  }

  reachedPromotion(to: MasterRecord): void {
    this.stages.reached('promoted');
    this.risk = `Writes that ${formatAddress(to.master)} accepted since ${to.changedAt} may be lost.`;
  }

  /** Rejects with `failover-stalled` if the condition does not hold in time, or the part stops meanwhile. */
  async until(
    what: string,
    condition: { readonly reached: () => Promise<boolean>; readonly timeoutMs: number },
  ): Promise<void> {
    const { timeoutMs } = condition;
    const reached = () => {
      this.requireTime();
      return condition.reached();
    };
    if (await holdsWithin(reached, { timeoutMs, pollMs })) return;
    throw this.failed(`${timeoutMs} ms passed until ${what}`);
  }

  /**
   * Throws when the part that carries it out may not take longer. Right after the order it may: Sentinel promotes a replica in that
   * time, and writes that were released before that would be lost.
   */
  requireTime(): void {
    const { ordered = Number.NEGATIVE_INFINITY } = this.stages.times;
    const isPromising = this.isLeftUndecided && this.stages.elapsedMs - ordered < promisingMs;
    if (this.parts.ends.all.aborted && !isPromising) throw this.failed(whyOrdersEnd);
  }

  /** Whether the part ended after the order and before a promotion: nobody may release the writes, and the pause ends by itself. */
  get isLeftUndecided(): boolean {
    const { ordered, promoted } = this.stages.times;
    return this.parts.ends.all.aborted && ordered !== undefined && promoted === undefined;
  }

  get #orderedTimeoutMs(): number {
    return Math.max(this.options.timeoutMs ?? stepTimeoutMs, leastOrderedMs);
  }

  failed(why: string): SwitchmasterError {
    return new SwitchmasterError('failover-stalled', `The failover of ${this.name} failed: ${why}. ${this.risk}`);
  }
}

export function describeRecord({ master, generation, epoch }: MasterRecord): string {
  return `the record names ${formatAddress(master)} (generation ${generation}, epoch ${epoch})`;
}
