import { SwitchmasterError } from '../../errors.ts';
import { holdsWithin, Stages } from '../../loop/stages.ts';
import { formatAddress } from '../../model/address.ts';
import type { MasterRecord } from '../../model/record.ts';
import { type PlannedFailoverParts, type PlannedOptions, type PlannedStep, stepTimeoutMs } from './planned-steps.ts';

const pollMs = 2;

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

  /** The limit for each step. */
  get timeoutMs(): number {
    return this.options.timeoutMs ?? stepTimeoutMs;
  }

  reachedPromotion(to: MasterRecord): void {
    this.stages.reached('promoted');
    this.risk = `Writes that ${formatAddress(to.master)} accepted since ${to.changedAt} may be lost.`;
  }

  /** Rejects with `failover-stalled` if the condition does not hold in time. */
  async until(
    what: string,
    condition: { readonly reached: () => Promise<boolean>; readonly timeoutMs: number },
  ): Promise<void> {
    const { reached, timeoutMs } = condition;
    if (await holdsWithin(reached, { timeoutMs, pollMs })) return;
    throw this.failed(`${timeoutMs} ms passed until ${what}`);
  }

  failed(why: string): SwitchmasterError {
    return new SwitchmasterError('failover-stalled', `The failover of ${this.name} failed: ${why}. ${this.risk}`);
  }
}

export function describeRecord({ master, generation, epoch }: MasterRecord): string {
  return `the record names ${formatAddress(master)} (generation ${generation}, epoch ${epoch})`;
}
