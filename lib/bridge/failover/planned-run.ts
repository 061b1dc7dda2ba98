import type { SentinelLink } from '../../client/sentinel.ts';
import { SwitchmasterError } from '../../errors.ts';
import { type Address, formatAddress, isIn, sameAddress } from '../../model/address.ts';
import type { MasterRecord } from '../../model/record.ts';
import type { Election } from '../../model/sentinel.ts';
import type { FenceOutcome } from '../apply/fence.ts';
import { type HandedOver, HandOver } from './handover.ts';
import type { HandOverEnd } from './handover-end.ts';
import { type Manner, readManner } from './manner.ts';
import { isRefusedOrder, orderFailover } from './order.ts';
import { PlannedCandidates } from './planned-candidates.ts';
import { describeRecord, PlannedCourse } from './planned-course.ts';
import { finishPlanned } from './planned-finish.ts';
import { endPause, type PlannedPause, requestPause } from './planned-pause.ts';
import { describeShortfall, isAnyMaster, readReplicationOf } from './planned-replication.ts';
import { type PlannedFailoverParts, type PlannedOptions, type PlannedReport, refused } from './planned-steps.ts';
import { ReplicaPriorityOverride } from './replica-priority.ts';

/** One planned failover, from the check to the old master as a replica. */
export class PlannedFailover {
  readonly #course: PlannedCourse;
  readonly #priorityOverride: ReplicaPriorityOverride;
  readonly #candidates: PlannedCandidates;

  constructor(name: string, parts: PlannedFailoverParts, options: PlannedOptions) {
    this.#course = new PlannedCourse(name, parts, options);
    this.#priorityOverride = new ReplicaPriorityOverride(parts.redis);
    this.#candidates = new PlannedCandidates(name, { parts, options, priorityOverride: this.#priorityOverride });
  }

  /** Waits until at most replicas that are out of sync prevent the failover. Rejects with `failover-refused`. */
  untilPossible(): Promise<void> {
    return this.#candidates.untilPossible();
  }

  async run(): Promise<PlannedReport> {
    const { name, parts, options, stages } = this.#course;
    const { successor } = options;
    try {
      const { kind: manner } = await readManner(name, parts, await this.#candidates.settle());
      // Once more, because that may have taken two seconds.
      const { record, candidates } = await this.#candidates.settle();
      stages.reached('checked');
      if (successor !== undefined) await this.#candidates.setPriorities(successor, candidates);
      // From here on the bridge carries the failover out as a whole, with the fence of its old master, even if maintenance
      // begins meanwhile.
      return await parts.maintenance.except(name, async () => {
        const report = manner === 'coordinated' ? await this.#handOver(record, candidates) : undefined;
        return report ?? (await this.#pauseFirst(manner, { record, candidates }));
      });
    } finally {
      await this.#priorityOverride.restore(stages.times.ordered === undefined ? 'nothing' : 'failover');
    }
  }

  /** The bridge pauses the writes. After a coordinated failover that was given up, the check is old. */
  async #pauseFirst(
    manner: Manner['kind'],
    checked: { readonly record: MasterRecord; readonly candidates: readonly Address[] },
  ): Promise<PlannedReport> {
    const { record, candidates } = manner === 'paused' ? checked : await this.#candidates.settle();
    return this.#hold(record, candidates);
  }

  /** Lets the master itself hand over. undefined where that is refused, and nothing has changed. */
  async #handOver(record: MasterRecord, candidates: readonly Address[]): Promise<PlannedReport | undefined> {
    const { name, parts, options, stages, timeoutMs } = this.#course;
    const link = this.#linkToSentinel();
    this.#course.risk = 'Sentinel may still promote a replica, but only one that has every acknowledged write.';
    const result = await new HandOver(name, parts, {
      record,
      candidates,
      timeoutMs,
      onOrdered: () => stages.reached('ordered'),
      onStopped: (lastMs) => stages.reached('paused', lastMs),
    }).carryOut(link);
    if (result.kind === 'promoted') {
      this.#course.reachedPromotion(result.to);
      this.#verify(result.to, { before: record, election: result.election, candidates });
      return finishPlanned(this.#course, record, { to: result.to, manner: 'coordinated', offset: undefined });
    }
    if (result.kind !== 'given-up') throw this.#notHandedOver(record, { ...result, timeoutMs });
    stages.undo('paused');
    stages.undo('ordered');
    options.onWait?.(`the old master does not hand over by itself: ${result.why}`, stages.elapsedMs);
    return undefined;
  }

  #notHandedOver(
    record: MasterRecord,
    result: Extract<HandedOver, { kind: 'ignored' | 'late' }> & { readonly timeoutMs: number },
  ): SwitchmasterError {
    const { parts } = this.#course;
    const { timeoutMs } = result;
    this.#course.risk = describeEnd(result.end, record.master);
    this.#course.requireTime();
    if (result.kind === 'late') return this.#course.failed(`${timeoutMs} ms passed until a replica is promoted`);
    parts.refusedHandOvers.note(record, result.why);
    return this.#course.failed(`${result.why}. ${afterRefusal}`);
  }

  /** All steps from the pause on. Releases the writes if no replica was promoted. */
  async #hold(record: MasterRecord, candidates: readonly Address[]): Promise<PlannedReport> {
    const { redis } = this.#course.parts;
    const { master } = record;
    const pause = await requestPause(redis, { master, candidates, pauseMs: this.#course.pauseMs });
    try {
      const ordered = pause.begins === 'late' ? await this.#order(record) : undefined;
      await this.#pausedBy(pause, master);
      const offset = await this.#stoppedAt(master);
      await this.#catchUp(candidates, offset);
      const sentinel = ordered ?? (await this.#order(record));
      const to = await this.#follow(record, { sentinel, candidates });
      return await finishPlanned(this.#course, record, { to, manner: 'paused', offset });
    } finally {
      const isHeld = this.#course.isLeftUndecided || (await this.#isPromoted(record, candidates));
      if (!isHeld) await endPause(redis, master, pause);
    }
  }

  async #pausedBy({ begun }: PlannedPause, master: Address): Promise<void> {
    const { name, parts, stages, timeoutMs } = this.#course;
    let outcome: FenceOutcome | undefined;
    void begun.then((settled) => {
      outcome = settled;
    });
    const reached = async () => {
      // A server without work would notice the end of WAIT late.
      if (outcome === undefined) await readReplicationOf(parts.redis, master);
      return outcome !== undefined;
    };
    await this.#course.until(`${formatAddress(master)} pauses writes`, { reached, timeoutMs });
    if (outcome?.kind !== 'failed') return stages.reached('paused');
    const why = `the writes of ${formatAddress(master)} cannot be paused: ${outcome.error.message}`;
    throw stages.times.ordered === undefined ? refused(name, why, outcome.error) : this.#course.failed(why);
  }

  /** Whether a replica is a master already. Then the old master stays paused: writes that it accepted now would be lost. */
  async #isPromoted(record: MasterRecord, candidates: readonly Address[]): Promise<boolean> {
    const { redis, memory } = this.#course.parts;
    const { record: known } = memory;
    if (known !== undefined && !sameAddress(known.master, record.master)) return true;
    return isAnyMaster(redis, candidates);
  }

  /** The offset of the paused master. */
  async #stoppedAt(master: Address): Promise<number> {
    const { parts, timeoutMs } = this.#course;
    let offset: number | undefined;
    const reached = async () => {
      offset = (await readReplicationOf(parts.redis, master))?.offset;
      return offset !== undefined;
    };
    await this.#course.until(`${formatAddress(master)} answers ROLE`, { reached, timeoutMs });
    return offset ?? Number.NaN;
  }

  async #catchUp(candidates: readonly Address[], offset: number): Promise<void> {
    const { parts, stages, timeoutMs } = this.#course;
    const hasAll = async (address: Address) =>
      describeShortfall(await readReplicationOf(parts.redis, address), offset) === undefined;
    const reached = async () =>
      (await Promise.all(candidates.map(hasAll))).every(Boolean) ||
      (stages.times.ordered !== undefined && (await isAnyMaster(parts.redis, candidates)));
    await this.#course.until(`the replicas reach offset ${offset}`, { reached, timeoutMs });
    stages.reached('caughtUp');
  }

  async #order({ master }: MasterRecord): Promise<Address> {
    this.#course.requireTime();
    const link = this.#linkToSentinel();
    this.#course.risk = `Sentinel may still promote a replica; then writes that ${formatAddress(master)} accepts until that are lost.`;
    await orderFailover(link, this.#course.name).catch((thrown: unknown) => {
      const error = SwitchmasterError.from(thrown);
      if (isRefusedOrder(error.cause)) throw error;
    });
    this.#course.stages.reached('ordered');
    return link.address;
  }

  #linkToSentinel(): SentinelLink {
    const link = this.#course.parts.sentinels.linkTo(this.#course.name);
    if (link === undefined) throw this.#course.failed('no Sentinel can be reached any more');
    return link;
  }

  /** Waits for the record of the failover that was ordered: the promotion of a candidate by this Sentinel. */
  async #follow(
    before: MasterRecord,
    order: { readonly sentinel: Address; readonly candidates: readonly Address[] },
  ): Promise<MasterRecord> {
    const { name, parts, timeoutMs } = this.#course;
    const { memory, sentinels } = parts;
    let election: Election | undefined;
    let to: MasterRecord | undefined;
    const reached = async () => {
      election = sentinels.election(name, order.sentinel) ?? election;
      const { record: known } = memory;
      to = known !== undefined && !sameAddress(known.master, before.master) ? known : undefined;
      return to !== undefined;
    };
    await this.#course.until('a replica is promoted', { reached, timeoutMs });
    if (to === undefined) throw this.#course.failed('no replica was promoted');
    this.#course.reachedPromotion(to);
    this.#verify(to, { before, election, candidates: order.candidates });
    return to;
  }

  /** Throws where `to` is another failover than the one that was ordered, or has another target. */
  #verify(
    to: MasterRecord,
    ordered: {
      readonly before: MasterRecord;
      readonly election: Election | undefined;
      readonly candidates: readonly Address[];
    },
  ): void {
    const { before, election, candidates } = ordered;
    const { successor = election?.selected } = this.#course.options;
    const isOther = election === undefined ? to.generation !== before.generation : to.epoch !== election.epoch;
    if (isOther) throw this.#course.failed(`another failover came first: ${describeRecord(to)}`);
    const isTarget = isIn(candidates, to.master) && (successor === undefined || sameAddress(to.master, successor));
    if (!isTarget) throw this.#course.failed(`Sentinel promoted another replica: ${describeRecord(to)}`);
  }
}

const afterRefusal =
  "Sentinel gives up within failover-timeout. Give Sentinel's user the right +failover at each Redis. Without it, the next order pauses the writes instead";

/** What a coordinated failover that was not completed may cost: a sentence. */
function describeEnd(end: HandOverEnd, master: Address): string {
  const old = formatAddress(master);
  switch (end) {
    case 'undone':
      return `Nothing has changed, and no write waits at ${old}.`;
    case 'promoted':
      return `A replica was promoted, or ${old} is a replica already: the bridges follow what Sentinel makes of it.`;
    case 'unknown':
      return `It is not known whether a replica was promoted: writes at ${old} may wait for failover-timeout, or be lost.`;
  }
}
