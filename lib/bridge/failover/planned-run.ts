import { SwitchmasterError } from '../../errors.ts';
import { holdsWithin, Stages } from '../../loop/stages.ts';
import { type Address, formatAddress, isIn, sameAddress } from '../../model/address.ts';
import { compareVersions } from '../../model/epoch.ts';
import type { MasterRecord } from '../../model/record.ts';
import type { Election } from '../../model/sentinel.ts';
import type { FenceOutcome } from '../apply/fence.ts';
import { orderFailover } from './order.ts';
import { PlannedCandidates } from './planned-candidates.ts';
import { endPause, type PlannedPause, requestPause } from './planned-pause.ts';
import { isAnyMaster, readInheritedBy, readReplicationOf } from './planned-replication.ts';
import {
  type PlannedFailoverParts,
  type PlannedOptions,
  type PlannedReport,
  type PlannedStep,
  refused,
  stepTimeoutMs,
} from './planned-steps.ts';
import { ReplicaPriorityOverride } from './replica-priority.ts';

const pollMs = 2;
const askTimeoutMs = 500;
const demotionTimeoutMs = 30_000;

/** One planned failover, from the check to the old master as a replica. */
export class PlannedFailover {
  readonly #name: string;
  readonly #parts: PlannedFailoverParts;
  readonly #options: PlannedOptions;
  readonly #stages: Stages<PlannedStep>;
  readonly #priorityOverride: ReplicaPriorityOverride;
  readonly #candidates: PlannedCandidates;
  /** What a failure from now on may cost: a sentence. */
  #risk = 'Nothing has changed.';

  constructor(name: string, parts: PlannedFailoverParts, options: PlannedOptions) {
    this.#name = name;
    this.#parts = parts;
    this.#options = options;
    this.#stages = new Stages(options.onStep);
    this.#priorityOverride = new ReplicaPriorityOverride(parts.redis);
    this.#candidates = new PlannedCandidates(name, { parts, options, priorityOverride: this.#priorityOverride });
  }

  /** Waits until at most replicas that are out of sync prevent the failover. Rejects with `failover-refused`. */
  untilPossible(): Promise<void> {
    return this.#candidates.untilPossible();
  }

  async run(): Promise<PlannedReport> {
    const { successor } = this.#options;
    try {
      const { record, candidates } = await this.#candidates.settle();
      this.#stages.reached('checked');
      if (successor !== undefined) await this.#candidates.setPriorities(successor, candidates);
      // From here on the bridge carries the failover out as a whole, with the fence of its old master, even if maintenance
      // begins meanwhile.
      return await this.#parts.maintenance.except(this.#name, () => this.#hold(record, candidates));
    } finally {
      await this.#priorityOverride.restore(this.#stages.times.ordered === undefined ? 'nothing' : 'failover');
    }
  }

  /** All steps from the pause on. Releases the writes if no replica was promoted. */
  async #hold(record: MasterRecord, candidates: readonly Address[]): Promise<PlannedReport> {
    const { redis } = this.#parts;
    const { master } = record;
    const pause = await requestPause(redis, { master, candidates, pauseMs: 3 * this.#timeoutMs });
    try {
      const ordered = pause.begins === 'late' ? await this.#order(record) : undefined;
      await this.#pausedBy(pause, master);
      const offset = await this.#stoppedAt(master);
      await this.#catchUp(candidates, offset);
      const sentinel = ordered ?? (await this.#order(record));
      const to = await this.#follow(record, { sentinel, candidates });
      return await this.#finish(record, { to, offset });
    } finally {
      if (!(await this.#isPromoted(record, candidates))) await endPause(redis, master, pause);
    }
  }

  async #pausedBy({ begun }: PlannedPause, master: Address): Promise<void> {
    let outcome: FenceOutcome | undefined;
    void begun.then((settled) => {
      outcome = settled;
    });
    const reached = async () => {
      // A server without work would notice the end of WAIT late.
      if (outcome === undefined) await readReplicationOf(this.#parts.redis, master);
      return outcome !== undefined;
    };
    await this.#until(`${formatAddress(master)} pauses writes`, { reached, timeoutMs: this.#timeoutMs });
    if (outcome?.kind !== 'failed') return this.#stages.reached('paused');
    const why = `the writes of ${formatAddress(master)} cannot be paused: ${outcome.error.message}`;
    throw this.#stages.times.ordered === undefined ? refused(this.#name, why, outcome.error) : this.#failed(why);
  }

  /** Whether a replica is a master already. Then the old master stays paused: writes that it accepted now would be lost. */
  async #isPromoted(record: MasterRecord, candidates: readonly Address[]): Promise<boolean> {
    const { redis, memory } = this.#parts;
    const { record: known } = memory;
    if (known !== undefined && !sameAddress(known.master, record.master)) return true;
    return isAnyMaster(redis, candidates);
  }

  /** The offset of the paused master. */
  async #stoppedAt(master: Address): Promise<number> {
    let offset: number | undefined;
    const reached = async () => {
      offset = (await readReplicationOf(this.#parts.redis, master))?.offset;
      return offset !== undefined;
    };
    await this.#until(`${formatAddress(master)} answers ROLE`, { reached, timeoutMs: this.#timeoutMs });
    return offset ?? Number.NaN;
  }

  async #catchUp(candidates: readonly Address[], offset: number): Promise<void> {
    const hasAll = async (address: Address) => {
      const state = await readReplicationOf(this.#parts.redis, address);
      return state?.role === 'replica' && state.link === 'connected' && state.offset >= offset;
    };
    const reached = async () =>
      (await Promise.all(candidates.map(hasAll))).every(Boolean) ||
      (this.#stages.times.ordered !== undefined && (await isAnyMaster(this.#parts.redis, candidates)));
    await this.#until(`the replicas reach offset ${offset}`, { reached, timeoutMs: this.#timeoutMs });
    this.#stages.reached('caughtUp');
  }

  async #order({ master }: MasterRecord): Promise<Address> {
    const link = this.#parts.sentinels.linkTo(this.#name);
    if (link === undefined) throw this.#failed('no Sentinel can be reached any more');
    this.#risk = `Sentinel may still promote a replica; then writes that ${formatAddress(master)} accepts until that are lost.`;
    await orderFailover(link, this.#name);
    this.#stages.reached('ordered');
    return link.address;
  }

  /** Waits for the record of the failover that was ordered: the promotion of a candidate by this Sentinel. */
  async #follow(
    before: MasterRecord,
    order: { readonly sentinel: Address; readonly candidates: readonly Address[] },
  ): Promise<MasterRecord> {
    const { memory, sentinels } = this.#parts;
    let election: Election | undefined;
    let to: MasterRecord | undefined;
    const reached = async () => {
      election = sentinels.election(this.#name, order.sentinel) ?? election;
      const { record: known } = memory;
      to = known !== undefined && !sameAddress(known.master, before.master) ? known : undefined;
      return to !== undefined;
    };
    await this.#until('a replica is promoted', { reached, timeoutMs: this.#timeoutMs });
    if (to === undefined) throw this.#failed('no replica was promoted');
    this.#stages.reached('promoted');
    this.#risk = `Writes that ${formatAddress(to.master)} accepted since ${to.changedAt} may be lost.`;
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
    const { successor = election?.selected } = this.#options;
    const isOther = election === undefined ? to.generation !== before.generation : to.epoch !== election.epoch;
    if (isOther) throw this.#failed(`another failover came first: ${describe(to)}`);
    const isTarget = isIn(candidates, to.master) && (successor === undefined || sameAddress(to.master, successor));
    if (!isTarget) throw this.#failed(`Sentinel promoted another replica: ${describe(to)}`);
  }

  async #finish(
    before: MasterRecord,
    change: { readonly to: MasterRecord; readonly offset: number },
  ): Promise<PlannedReport> {
    const { to, offset } = change;
    const inherited = await readInheritedBy(this.#parts.redis, to.master);
    if (inherited < offset) throw this.#failed(`${formatAddress(to.master)} has offset ${inherited} of ${offset}`);
    await this.#confirm(to);
    const isDemoted = async () => {
      this.#requireStill(to);
      return (await this.#parts.redis.role(before.master, { timeoutMs: askTimeoutMs })).role === 'replica';
    };
    await this.#until('the old master is a replica', { reached: isDemoted, timeoutMs: demotionTimeoutMs });
    this.#requireStill(to);
    this.#stages.reached('demoted');
    return {
      name: this.#name,
      from: before.master,
      to: to.master,
      generation: to.generation,
      epoch: to.epoch,
      stages: this.#stages.times,
      withoutWritesMs: this.#stages.between('paused', 'promoted'),
      offsets: { paused: offset, inherited },
    };
  }

  /** Waits until a majority of the Sentinels confirms this very record. */
  async #confirm(to: MasterRecord): Promise<void> {
    const timeoutMs = this.#timeoutMs;
    const isOver = (known: MasterRecord) => compareVersions(known, to) !== 0 || known.phase === 'confirmed';
    const known = await this.#parts.memory.whenRemembered(isOver, { timeoutMs });
    if (known === undefined) throw this.#failed(`no majority of the Sentinels confirmed it within ${timeoutMs} ms`);
    this.#requireStill(to);
    this.#stages.reached('confirmed');
  }

  /** Throws if the record has changed since: the promotion failed, or another failover followed. */
  #requireStill(to: MasterRecord): void {
    const { record: known } = this.#parts.memory;
    if (known !== undefined && compareVersions(known, to) === 0) return;
    throw this.#failed(`it was replaced${known === undefined ? '' : `: ${describe(known)}`}`);
  }

  async #until(
    what: string,
    condition: { readonly reached: () => Promise<boolean>; readonly timeoutMs: number },
  ): Promise<void> {
    const { reached, timeoutMs } = condition;
    if (await holdsWithin(reached, { timeoutMs, pollMs })) return;
    throw this.#failed(`${timeoutMs} ms passed until ${what}`);
  }

  #failed(why: string): SwitchmasterError {
    return new SwitchmasterError('failover-stalled', `The failover of ${this.#name} failed: ${why}. ${this.#risk}`);
  }

  get #timeoutMs(): number {
    return this.#options.timeoutMs ?? stepTimeoutMs;
  }
}

function describe({ master, generation, epoch }: MasterRecord): string {
  return `the record names ${formatAddress(master)} (generation ${generation}, epoch ${epoch})`;
}
