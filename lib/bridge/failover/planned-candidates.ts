import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { SwitchmasterError } from '../../errors.ts';
import { whyOrdersEnd } from '../../loop/orders-under-way.ts';
import { holdsWithin } from '../../loop/stages.ts';
import { type Address, formatAddress, sameAddress } from '../../model/address.ts';
import { ageOf } from '../../model/age.ts';
import type { SentinelView } from '../../model/sentinel.ts';
import { distinctViews } from '../observe/sentinel-reading.ts';
import { checkPlanned, type PlannedCheck } from './planned-check.ts';
import { readReplicationOf, whyBehind } from './planned-replication.ts';
import { defaultWaitMs, type PlannedFailoverParts, type PlannedOptions, refused } from './planned-steps.ts';
import type { ReplicaPriorityOverride } from './replica-priority.ts';

/** Longer than the 10 s between two INFOs that a Sentinel reads from a replica. */
const infoMs = 15_000;
/** How soon a replica must have what its master has. Writes would wait for as long. */
const inStepMs = 500;
const pollMs = 50;

/** The replicas that Sentinel could select for one planned failover, and how the bridge limits them. */
export class PlannedCandidates {
  readonly #name: string;
  readonly #parts: PlannedFailoverParts;
  readonly #options: PlannedOptions;
  readonly #priorityOverride: ReplicaPriorityOverride;
  readonly #startedMs = performance.now();
  readonly #from: Address | undefined;
  /** Since when the replicas have been out of sync. */
  #unsettledSinceMs: number | undefined;
  /** What the operator was last informed that the failover waits for. */
  #reported: string | undefined;

  constructor(
    name: string,
    given: {
      readonly parts: PlannedFailoverParts;
      readonly options: PlannedOptions;
      readonly priorityOverride: ReplicaPriorityOverride;
    },
  ) {
    this.#name = name;
    this.#parts = given.parts;
    this.#options = given.options;
    this.#priorityOverride = given.priorityOverride;
    this.#from = given.parts.memory.record?.master;
  }

  /**
   * Waits until the failover can begin, or only until replicas stay out of sync. It changes nothing, so that other bridges can
   * complete or order failovers meanwhile. Rejects with `failover-refused`.
   */
  async untilPossible(): Promise<void> {
    await this.#waitForCheck();
  }

  /**
   * Waits until every replica that Sentinel could select is in sync by every Sentinel. Replicas that stay out of sync get
   * priority 0, so that Sentinel cannot select them. Rejects with `failover-refused`.
   */
  async settle(): Promise<Extract<PlannedCheck, { kind: 'ready' }>> {
    const first = await this.#waitForCheck();
    if (first.kind === 'ready') return first;
    if (!this.#suffices(first.candidates)) throw this.#expired(first.why);
    this.#unsettledSinceMs = undefined;
    await this.#priorityOverride.exclude(first.unsettled);
    const second = await this.#waitForCheck();
    if (second.kind === 'ready') return second;
    throw this.#expired(second.why);
  }

  /** Makes Sentinel select the successor, and waits until every Sentinel has seen the priorities. */
  async setPriorities(successor: Address, candidates: readonly Address[]): Promise<void> {
    await this.#priorityOverride.give(successor, candidates);
    this.#report('not every Sentinel has seen the priorities of the replicas');
    const areSeen = async () => {
      this.#requireTime();
      return (await this.#views()).every((view) => prefers(view, successor));
    };
    if (await holdsWithin(areSeen, { timeoutMs: infoMs, pollMs })) return;
    throw refused(this.#name, 'a Sentinel has not seen the priorities in time.');
  }

  /** The check when it is ready, or an unsettled one after the time in which every Sentinel has read INFO again. */
  async #waitForCheck(): Promise<Extract<PlannedCheck, { kind: 'ready' | 'unsettled' }>> {
    for (;;) {
      this.#requireTime();
      const check = await this.check();
      if (check.kind === 'ready') return check;
      if (check.kind === 'refused') throw refused(this.#name, `${check.why}.`);
      const nowMs = performance.now();
      const sinceMs = check.kind === 'waiting' ? undefined : (this.#unsettledSinceMs ?? nowMs);
      this.#unsettledSinceMs = sinceMs;
      const isLasting = sinceMs !== undefined && nowMs > sinceMs + infoMs;
      if (isLasting && check.kind === 'unsettled' && check.unsettled.length > 0) return check;
      if (this.#isOver(nowMs)) throw this.#expired(check.why);
      if (this.#options.signal?.aborted === true) throw refused(this.#name, 'nobody waits for it any more.');
      this.#report(check.why);
      await delay(pollMs);
    }
  }

  #requireTime(): void {
    if (this.#parts.ends.waiting.aborted) throw refused(this.#name, `${whyOrdersEnd}.`);
  }

  #isOver(nowMs: number): boolean {
    return nowMs > this.#startedMs + (this.#options.waitMs ?? defaultWaitMs);
  }

  #expired(why: string): SwitchmasterError {
    const seconds = Math.round((performance.now() - this.#startedMs) / 100) / 10;
    return refused(this.#name, `${why}. It waited for ${seconds} s.`);
  }

  #report(why: string): void {
    if (this.#reported === why) return;
    this.#reported = why;
    this.#options.onWait?.(why, Math.round(performance.now() - this.#startedMs));
  }

  /** Whether the failover could begin now, by the Sentinels, and by the servers themselves: a Sentinel's INFO is up to 10 s old. */
  async check(): Promise<PlannedCheck> {
    const check = await this.#checkSentinels();
    const why = check.kind === 'ready' ? await this.#whyNotInStep(check) : undefined;
    return why === undefined ? check : { kind: 'waiting', why };
  }

  async #whyNotInStep({ record, candidates }: Extract<PlannedCheck, { kind: 'ready' }>): Promise<string | undefined> {
    const { redis } = this.#parts;
    const { master } = record;
    const offset = (await readReplicationOf(redis, master))?.offset;
    if (offset === undefined) return `the master ${formatAddress(master)} does not answer ROLE`;
    const lags = await Promise.all(
      candidates.map(async (address) => {
        const why = await whyBehind(redis, address, { offset, withinMs: inStepMs });
        return why === undefined ? [] : [`${formatAddress(address)} ${why}`];
      }),
    );
    const behind = lags.flat();
    return behind.length === 0
      ? undefined
      : `Sentinel could select a replica that is not in step: ${behind.join('; ')}`;
  }

  async #checkSentinels(): Promise<PlannedCheck> {
    const { memory, sentinels, consulOutage, maintenance } = this.#parts;
    const record = memory.record;
    return checkPlanned({
      consulOutage: consulOutage(),
      record,
      recordAgeMs: record === undefined ? 0 : ageOf(record.changedAt),
      views: await this.#views(),
      knownSentinels: sentinels.count(this.#name),
      successor: this.#options.successor,
      from: this.#from,
      maintenance: maintenance.verdict(this.#name),
    });
  }

  /** Whether one of these may become master. */
  #suffices(candidates: readonly Address[]): boolean {
    const { successor } = this.#options;
    return candidates.some((address) => successor === undefined || sameAddress(address, successor));
  }

  async #views(): Promise<readonly SentinelView[]> {
    return distinctViews(await this.#parts.sentinels.read(this.#name));
  }
}

/** Whether this Sentinel has seen that the successor has the lowest priority number. */
function prefers({ replicas }: SentinelView, successor: Address): boolean {
  const mine = replicas.find(({ address }) => sameAddress(address, successor))?.priority;
  const others = replicas.filter(({ address }) => !sameAddress(address, successor)).map(({ priority }) => priority);
  return mine !== undefined && others.every((other) => other === undefined || other === 0 || mine < other);
}
