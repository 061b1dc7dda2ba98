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
import { FullRun } from './full-run.ts';
import { type BridgeHint, isAnnouncement } from './hint.ts';

export interface BridgeOptions extends DeciderOptions {
  readonly fencer: Fencer;
  /** Completes failovers whose leader died; undefined where that is not wanted. */
  readonly failoverCompletion: FailoverCompletion | undefined;
  readonly writer: RecordWriter;
  readonly naming: Naming;
  /** Gets the outcome of a write that a run did not wait for, because a failover was announced. */
  readonly onLate: (name: string, outcome: Outcome) => void;
}

/**
 * For changes that come one after the other: a Sentinel's messages during a failover, a connection that the promotion
 * closed, the watches after a write. A full run for each of them would be under way when the announcement comes. Sentinel's
 * timer ticks every 50 to 100 ms, so a run that starts between two ticks has ended before the next one.
 */
const delayMs = 25;

/**
 * For the messages between the promotion and the announcement, where the announcement is followed: Sentinel's timer ticks once
 * or twice until then. A run meanwhile would write checks that the announcement replaces.
 */
const beforeAnnouncementMs = 250;
const lastMessages =
  /^(\+promoted-slave|\+failover-state-reconf-slaves|\+failover-end|\+slave-reconf-\w+|[+-]role-change)$/;

/**
 * Keeps Consul's record, keys and services of each master as its Sentinels decided. One key of the loop is one master.
 *
 * A run that an announcement woke asks only the Sentinel that made it, and the announced address for its ROLE, at the
 * same time. When that shows a newer epoch, the transaction is next. Every other run asks all Sentinels, and ends
 * when an announcement comes meanwhile, so that no failover waits for a Sentinel that does not answer.
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
    if (hint.kind !== undefined) return 0;
    return this.#follow === 'announcement' && lastMessages.test(hint.event) ? beforeAnnouncementMs : delayMs;
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
