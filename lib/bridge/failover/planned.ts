import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { RedisPool } from '../../client/redis-pool.ts';
import { readInheritedOffset, readReplication } from '../../client/replication-shapes.ts';
import type { Lease } from '../../consul/lock.ts';
import { SwitchmasterError } from '../../errors.ts';
import { type Address, formatAddress, sameAddress } from '../../model/address.ts';
import type { MasterRecord } from '../../model/record.ts';
import type { SentinelView } from '../../model/sentinel.ts';
import { pauseWrites, releaseWrites } from '../apply/fence.ts';
import type { MasterMemory } from '../memory.ts';
import type { SentinelSource } from '../observe/sentinels.ts';
import { orderFailover } from './order.ts';
import { checkPlanned } from './planned-check.ts';
import { ReplicaPriorityOverride } from './replica-priority.ts';

/*
 * A planned failover that loses nothing:
 *
 *   checked → paused → caught up → ordered → promoted → confirmed → demoted
 *
 * The old master's writes wait from `paused` on, so the replicas reach an offset that does not move any more; only then
 * is Sentinel asked. The promotion is followed by the bridge as any other. If anything stalls before it, the writes are
 * let go, and nothing has changed. The pause ends by itself should this process die.
 */

export type PlannedStep = 'checked' | 'paused' | 'caughtUp' | 'ordered' | 'promoted' | 'confirmed' | 'demoted';

export interface PlannedReport {
  readonly name: string;
  readonly from: Address;
  readonly to: Address;
  readonly generation: number;
  readonly epoch: number;
  /** Milliseconds since the beginning. */
  readonly stages: Readonly<Partial<Record<PlannedStep, number>>>;
  /** From the pause to the new master's first answer as a master, in milliseconds. */
  readonly withoutWritesMs: number;
  /** The old master's offset when its writes had stopped, and how much of it the new master has: never less. */
  readonly offsets: { readonly paused: number; readonly inherited: number };
}

export interface PlannedOptions {
  readonly successor?: Address;
  /** For the replicas to catch up, and for Sentinel to promote: each. Default 10,000. */
  readonly timeoutMs?: number;
  readonly onStep?: (step: PlannedStep, elapsedMs: number) => void;
}

export interface PlannedFailoverParts {
  readonly sentinels: SentinelSource;
  readonly redis: RedisPool;
  readonly memory: MasterMemory;
  /** Why Consul is out of reach; undefined while it is not. */
  readonly consulOutage: () => string | undefined;
  /** Lets one daemon at a time steer a master. */
  readonly enter: (name: string, signal: AbortSignal) => Promise<Lease>;
}

/** Carries one out. Rejects with `failover-refused` or `failover-stalled`, and then nothing has changed unless it says so. */
export async function failOver(
  name: string,
  parts: PlannedFailoverParts,
  options: PlannedOptions = {},
): Promise<PlannedReport> {
  const lease = await parts.enter(name, AbortSignal.timeout(enterTimeoutMs)).catch((thrown: unknown) => {
    const error = SwitchmasterError.from(thrown);
    const why = error.code === 'consul-denied' ? error.message : `Consul cannot be reached: ${error.message}`;
    throw refused(name, why, error);
  });
  if (lease.kind === 'full') throw refused(name, 'another daemon is doing it at this moment.');
  let leaving: Promise<void> | undefined;
  const leave = () => {
    leaving ??= lease.leave();
    return leaving;
  };
  const onStep = (step: PlannedStep, elapsedMs: number) => {
    // From here on it is the bridges': should the leader die, one of them sees it through.
    if (step === 'promoted') void leave();
    options.onStep?.(step, elapsedMs);
  };
  try {
    return await new PlannedFailover(name, parts, { ...options, onStep }).run();
  } finally {
    await leave();
  }
}

function refused(name: string, why: string, cause?: SwitchmasterError): SwitchmasterError {
  return new SwitchmasterError('failover-refused', `${name} is not failed over: ${why}`, { cause });
}

const pollMs = 2;
const enterTimeoutMs = 5_000;
const askTimeoutMs = 500;

class PlannedFailover {
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

  /** From the pause to the end; the writes are let go where it does not come to a promotion. */
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
      if (!(await this.#isTurned(record, candidates))) await releaseWrites(redis, master);
    }
  }

  /** Where a replica is a master already, what the old one took now would be lost: its pause ends by itself. */
  async #isTurned(record: MasterRecord, candidates: readonly Address[]): Promise<boolean> {
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
    turn: { readonly to: MasterRecord; readonly offset: number },
  ): Promise<PlannedReport> {
    const { redis, memory } = this.#parts;
    const { to, offset } = turn;
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

  /** Whether every Sentinel has seen that the successor comes first. */
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
    return this.#options.timeoutMs ?? 10_000;
  }
}
