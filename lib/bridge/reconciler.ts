import type { TimerHint } from '../loop/hint.ts';
import type { Outcome } from '../loop/outcome.ts';
import type { Reconciler, Run } from '../loop/run.ts';
import type { Naming } from '../model/naming.ts';
import { AnnouncementReader } from './announcement.ts';
import { Execution } from './apply/execution.ts';
import type { RecordWriter } from './apply/writer.ts';
import { Decider, type DeciderOptions } from './decider.ts';
import type { FailoverCompletion } from './failover/completion.ts';
import type { Fencer } from './fencing/fencer.ts';
import { FullRun, type FullRunOptions } from './full-run.ts';
import { type BridgeHint, isAnnouncement } from './hint.ts';
import { hintDelayMs } from './hint-delay.ts';

export interface BridgeOptions extends DeciderOptions, Pick<FullRunOptions, 'precedence'> {
  readonly fencer: Fencer;
  /** Completes failovers whose leader died; undefined where that is not wanted. */
  readonly failoverCompletion: FailoverCompletion | undefined;
  readonly writer: RecordWriter;
  readonly naming: Naming;
  /** Gets the outcome of a write that a run did not wait for, because a failover was announced. */
  readonly onLate: (name: string, outcome: Outcome) => void;
}

/**
 * Keeps Consul's record, keys and services of each master as its Sentinels decided. One key of the loop is one master.
 *
 * A run that an announcement woke asks only the Sentinel that made it, and the announced address for its ROLE, at the
 * same time, unless both answered just before it. When that shows a newer epoch, the transaction is next. Every other run
 * asks all Sentinels, and ends when an announcement comes meanwhile, so that no failover waits for a Sentinel that does not
 * answer.
 */
export class Bridge implements Reconciler<BridgeHint> {
  readonly name = 'bridge';
  readonly #memory: BridgeOptions['memory'];
  readonly #follow: BridgeOptions['settings']['follow'];
  readonly #announcements: AnnouncementReader;
  readonly #execution: Execution;
  readonly #fullRun: FullRun;

  constructor(options: BridgeOptions) {
    const decider = new Decider(options);
    this.#memory = options.memory;
    this.#follow = options.settings.follow;
    this.#execution = new Execution(options);
    this.#announcements = new AnnouncementReader({ ...options, decider });
    this.#fullRun = new FullRun({ ...options, decider, execution: this.#execution });
  }

  isUrgent(hint: BridgeHint): boolean {
    return isAnnouncement(hint);
  }

  delayMs(hint: BridgeHint): number {
    return hintDelayMs(hint, this.#follow);
  }

  async reconcile(run: Run<BridgeHint>): Promise<Outcome> {
    this.#takeRequests(run);
    const announcements = run.hints.filter(isAnnouncement);
    const woken = announcements.length > 0 ? announcements : run.hints;
    const wokenMs = Math.min(...woken.map(({ receivedMs }) => receivedMs));
    const announced = await this.#announcements.decide(run, { wokenMs });
    if (announced !== undefined) return this.#execution.carryOut(announced);
    return this.#fullRun.reconcile(run, { wokenMs });
  }

  /** A request outlives its run, which a failover may interrupt. */
  #takeRequests({ key, hints }: { readonly key: string; readonly hints: readonly (BridgeHint | TimerHint)[] }): void {
    for (const hint of hints) if (hint.kind === 'rebase-requested') this.#memory(key).rebaseRequested(hint.untilMs);
  }
}
