import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { readInheritedOffset, readReplication } from '../../client/replication-shapes.ts';
import { SwitchmasterError } from '../../errors.ts';
import { type Address, formatAddress, sameAddress } from '../../model/address.ts';
import type { MasterRecord } from '../../model/record.ts';
import type { SentinelView } from '../../model/sentinel.ts';
import { pauseWrites, releaseWrites } from '../apply/fence.ts';
import { orderFailover } from './order.ts';
import { checkPlanned } from './planned-check.ts';
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

/** One planned failover, from the check to the old master as a replica. */
export class PlannedFailover {
  readonly #name: string;
  readonly #parts: PlannedFailoverParts;
  readonly #options: PlannedOptions;
  readonly #startedMs = performance.now();
  readonly #stages: Partial<Record<PlannedStep, number>> = {};

  constructor(name: string, parts: PlannedFailoverParts, options: PlannedOptions) {
    this.#name = name;
    this.#parts = parts;
    this.#options = options;
  }

  async run(): Promise<PlannedReport> {
    const { record, candidates } = await this.#check();
    const { successor } = this.#options;
    const priorityOverride = new ReplicaPriorityOverride(this.#parts.redis);
    try {
      if (successor !== undefined) {
        await priorityOverride.give(successor, candidates);
        await this.#until('Sentinel sees the priorities', {
          reached: () => this.#prefers(successor),
          timeoutMs: 15_000,
        });
      }
      return await this.#hold(record, successor === undefined ? candidates : [successor]);
    } finally {
      await priorityOverride.restore(this.#stages.ordered === undefined ? 'nothing' : 'failover');
    }
  }

  async #check() {
    const { memory, sentinels, consulOutage } = this.#parts;
    const situation = {
      consulOutage: consulOutage(),
      record: memory.remembered,
      views: await this.#views(),
      knownSentinels: sentinels.count(this.#name),
      successor: this.#options.successor,
    };
    const check = checkPlanned(situation);
    if (check.kind === 'refused') {
      throw refused(this.#name, `${check.why}.`);
    }
    this.#reached('checked');
    return check;
  }

  /** All steps from the pause on. Releases the writes if no replica was promoted. */
  async #hold(record: MasterRecord, candidates: readonly Address[]): Promise<PlannedReport> {
    const { redis, memory } = this.#parts;
    const { master } = record;
    const paused = await pauseWrites(redis, { address: master, pauseMs: 3 * this.#timeoutMs });
    if (paused.kind === 'failed') {
      const why = `the writes of ${formatAddress(master)} cannot be paused: ${paused.error.message}`;
      throw refused(this.#name, why, paused.error);
    }
    this.#reached('paused');
    try {
      const offset = await this.#offsetOf(master);
      await this.#catchUp(candidates, offset);
      await this.#order();
      const to = await memory.whenRemembered((known) => !sameAddress(known.master, master), {
        timeoutMs: this.#timeoutMs,
      });
      if (to === undefined) throw this.#stalled('no replica was promoted in time');
      this.#reached('promoted');
      return await this.#finish(record, { to, offset });
    } finally {
      if (!(await this.#isPromoted(record, candidates))) await releaseWrites(redis, master);
    }
  }

  /** Whether a replica is a master already. Then the old master stays paused: writes that it accepted now would be lost. */
  async #isPromoted(record: MasterRecord, candidates: readonly Address[]): Promise<boolean> {
    const { redis, memory } = this.#parts;
    const { remembered } = memory;
    if (remembered !== undefined && !sameAddress(remembered.master, record.master)) return true;
    const roles = await Promise.all(candidates.map((address) => redis.role(address, { timeoutMs: askTimeoutMs })));
    return roles.some(({ role }) => role === 'master');
  }

  async #catchUp(candidates: readonly Address[], offset: number): Promise<void> {
    const reached = async () => {
      const offsets = await Promise.all(candidates.map((address) => this.#offsetOf(address)));
      return offsets.every((one) => one >= offset);
    };
    await this.#until(`the replicas reach offset ${offset}`, { reached, timeoutMs: this.#timeoutMs });
    this.#reached('caughtUp');
  }

  async #order(): Promise<void> {
    const link = this.#parts.sentinels.linkTo(this.#name);
    if (link === undefined) throw this.#stalled('no Sentinel can be reached any more');
    await orderFailover(link, this.#name);
    this.#reached('ordered');
  }

  async #finish(
    before: MasterRecord,
    change: { readonly to: MasterRecord; readonly offset: number },
  ): Promise<PlannedReport> {
    const { redis, memory } = this.#parts;
    const { to, offset } = change;
    const [info] = await redis.command(to.master, [['INFO', 'replication']], { timeoutMs: askTimeoutMs });
    const inherited = readInheritedOffset(info) ?? Number.NaN;
    await memory.whenRemembered(({ phase }) => phase === 'confirmed', { timeoutMs: this.#timeoutMs });
    this.#reached('confirmed');
    const isReplica = async () => (await redis.role(before.master, { timeoutMs: askTimeoutMs })).role === 'replica';
    await this.#until('the old master is a replica', { reached: isReplica, timeoutMs: 30_000 });
    this.#reached('demoted');
    const { paused = 0, promoted = 0 } = this.#stages;
    return {
      name: this.#name,
      from: before.master,
      to: to.master,
      generation: to.generation,
      epoch: to.epoch,
      stages: this.#stages,
      withoutWritesMs: Math.round((promoted - paused) * 10) / 10,
      offsets: { paused: offset, inherited },
    };
  }

  async #offsetOf(address: Address): Promise<number> {
    const [reply] = await this.#parts.redis.command(address, [['ROLE']], { timeoutMs: askTimeoutMs });
    return readReplication(reply, `ROLE at ${formatAddress(address)}`).offset;
  }

  /** Whether every Sentinel has seen that the successor has the lowest priority number. */
  async #prefers(successor: Address): Promise<boolean> {
    const views = await this.#views();
    return views.every(({ replicas }) => {
      const mine = replicas.find(({ address }) => sameAddress(address, successor))?.priority;
      const others = replicas.filter(({ address }) => !sameAddress(address, successor)).map(({ priority }) => priority);
      return mine !== undefined && others.every((other) => other === undefined || other === 0 || mine < other);
    });
  }

  async #views(): Promise<readonly SentinelView[]> {
    const readings = await this.#parts.sentinels.read(this.#name);
    return readings.filter((reading) => reading.kind === 'seen').map(({ view }) => view);
  }

  async #until(
    what: string,
    condition: { readonly reached: () => Promise<boolean>; readonly timeoutMs: number },
  ): Promise<void> {
    const deadlineMs = performance.now() + condition.timeoutMs;
    while (!(await condition.reached())) {
      if (performance.now() > deadlineMs) throw this.#stalled(`${condition.timeoutMs} ms passed until ${what}`);
      await delay(pollMs);
    }
  }

  #stalled(why: string): SwitchmasterError {
    return new SwitchmasterError('failover-stalled', `The failover of ${this.#name} stalled: ${why}.`);
  }

  #reached(step: PlannedStep): void {
    const elapsedMs = Math.round((performance.now() - this.#startedMs) * 10) / 10;
    this.#stages[step] = elapsedMs;
    this.#options.onStep?.(step, elapsedMs);
  }

  get #timeoutMs(): number {
    return this.#options.timeoutMs ?? stepTimeoutMs;
  }
}
