import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { type Address, sameAddress } from '../../model/address.ts';
import type { MasterRecord } from '../../model/record.ts';
import type { SentinelView } from '../../model/sentinel.ts';
import { distinctViews } from '../observe/sentinel-reading.ts';
import { checkPlanned, type PlannedCheck } from './planned-check.ts';
import { type PlannedFailoverParts, type PlannedOptions, refused } from './planned-steps.ts';
import type { ReplicaPriorityOverride } from './replica-priority.ts';

/** Longer than the 10 s between two INFOs that a Sentinel reads from a replica. */
const infoMs = 15_000;
const pollMs = 50;

/** The replicas that Sentinel could select for one planned failover, and how the bridge limits them. */
export class PlannedCandidates {
  readonly #name: string;
  readonly #parts: PlannedFailoverParts;
  readonly #successor: Address | undefined;
  readonly #priorityOverride: ReplicaPriorityOverride;

  constructor(
    name: string,
    options: {
      readonly parts: PlannedFailoverParts;
      readonly successor: PlannedOptions['successor'];
      readonly priorityOverride: ReplicaPriorityOverride;
    },
  ) {
    this.#name = name;
    this.#parts = options.parts;
    this.#successor = options.successor;
    this.#priorityOverride = options.priorityOverride;
  }

  /**
   * Waits until every replica that Sentinel could select is in sync by every Sentinel. Replicas that stay out of sync get
   * priority 0, so that Sentinel cannot select them. Rejects with `failover-refused`.
   */
  async settle(): Promise<Extract<PlannedCheck, { kind: 'ready' }>> {
    const first = await this.#waitForCheck();
    if (first.kind === 'ready') return first;
    if (!this.#suffices(first.candidates) || first.unsettled.length === 0) throw refused(this.#name, `${first.why}.`);
    await this.#priorityOverride.exclude(first.unsettled);
    const second = await this.#waitForCheck();
    if (second.kind === 'ready') return second;
    throw refused(this.#name, `${second.why}.`);
  }

  /** Makes Sentinel select the successor, and waits until every Sentinel has seen the priorities. */
  async setPriorities(successor: Address, candidates: readonly Address[]): Promise<void> {
    await this.#priorityOverride.give(successor, candidates);
    const deadlineMs = performance.now() + infoMs;
    while (!(await this.#views()).every((view) => prefers(view, successor))) {
      if (performance.now() > deadlineMs) throw refused(this.#name, 'a Sentinel has not seen the priorities in time.');
      await delay(pollMs);
    }
  }

  /** The check when it is ready, or as it is after the time in which every Sentinel has read INFO again. */
  async #waitForCheck(): Promise<Exclude<PlannedCheck, { kind: 'refused' }>> {
    const deadlineMs = performance.now() + infoMs;
    for (;;) {
      const check = await this.#check();
      if (check.kind === 'refused') throw refused(this.#name, `${check.why}.`);
      if (check.kind === 'ready' || performance.now() > deadlineMs + extraMs(check)) return check;
      await delay(pollMs);
    }
  }

  async #check(): Promise<PlannedCheck> {
    const { memory, sentinels, consulOutage } = this.#parts;
    const record = memory.record;
    return checkPlanned({
      consulOutage: consulOutage(),
      record,
      recordAgeMs: record === undefined ? 0 : ageOf(record),
      views: await this.#views(),
      knownSentinels: sentinels.count(this.#name),
      successor: this.#successor,
    });
  }

  /** Whether one of these may become master. */
  #suffices(candidates: readonly Address[]): boolean {
    const successor = this.#successor;
    return candidates.some((address) => successor === undefined || sameAddress(address, successor));
  }

  async #views(): Promise<readonly SentinelView[]> {
    return distinctViews(await this.#parts.sentinels.read(this.#name));
  }
}

/** The wait for a Sentinel that cannot be read ends by itself, and later: the bridge judges it by the age of the record. */
function extraMs(check: Extract<PlannedCheck, { kind: 'unsettled' }>): number {
  return check.unsettled.length === 0 ? infoMs : 0;
}

/** By the clock of the bridge that wrote the record. */
function ageOf({ changedAt }: MasterRecord): number {
  return Math.max(0, Date.now() - Date.parse(changedAt));
}

/** Whether this Sentinel has seen that the successor has the lowest priority number. */
function prefers({ replicas }: SentinelView, successor: Address): boolean {
  const mine = replicas.find(({ address }) => sameAddress(address, successor))?.priority;
  const others = replicas.filter(({ address }) => !sameAddress(address, successor)).map(({ priority }) => priority);
  return mine !== undefined && others.every((other) => other === undefined || other === 0 || mine < other);
}
