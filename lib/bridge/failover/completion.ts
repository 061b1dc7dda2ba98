import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { RedisPool } from '../../client/redis-pool.ts';
import type { Lease } from '../../consul/lock.ts';
import { SwitchmasterError } from '../../errors.ts';
import { type Address, formatAddress } from '../../model/address.ts';
import { compareVersions } from '../../model/epoch.ts';
import type { MasterRecord } from '../../model/record.ts';
import type { Fencer } from '../fencing/fencer.ts';
import type { MasterMemory } from '../memory.ts';
import { distinctViews } from '../observe/sentinel-reading.ts';
import type { SentinelSource } from '../observe/sentinels.ts';
import { type Completion, type CompletionSituation, planCompletion } from './completion-plan.ts';
import { orderFailover } from './order.ts';
import { ReplicaPriorityOverride } from './replica-priority.ts';

/** What became of a failover that lost its leader, for the log and the journal. */
export interface CompletionReport {
  readonly name: string;
  readonly record: MasterRecord;
  /** Who was asked to fail over to the promoted replica; undefined where nobody was. */
  readonly sentinel: Address | undefined;
  readonly error: SwitchmasterError | undefined;
}

export interface CompletionOptions {
  readonly sentinels: SentinelSource;
  readonly redis: RedisPool;
  readonly fencer: Fencer;
  /** Lets one bridge at a time steer a master. */
  readonly enter: (name: string, signal: AbortSignal) => Promise<Lease>;
  readonly onReport: (report: CompletionReport) => void;
}

/** A leader that is only out of this bridge's sight announces the promotion within a second. */
const graceMs = 1_000;
/** After about so long the other Sentinels turn the promoted replica back. */
const patienceMs = 12_000;
const lookAgainMs = 100;
const enterAgainMs = 300;
const askTimeoutMs = 500;
/** Sentinel's timer ticks every 100 ms. */
const selectionMs = 300;
/** Before the pause of five seconds has ended. */
const renewPauseMs = 4_000;

/**
 * Ends failovers whose leader died between the promotion and its announcement, by asking another Sentinel to fail over to
 * the replica that was promoted: docs/promotion.md, "A leader that dies". Each one is tried once.
 */
export class FailoverCompletion {
  readonly #options: CompletionOptions;
  /** By master: the version that was tried last. */
  readonly #tried = new Map<string, string>();
  readonly #running = new Set<Promise<void>>();
  readonly #abort = new AbortController();

  constructor(options: CompletionOptions) {
    this.#options = options;
  }

  /** To be called with each complete look at a master. Does not wait. */
  consider(name: string, seen: CompletionSituation, memory: MasterMemory): void {
    const version = `${seen.record.generation}/${seen.record.epoch}`;
    if (this.#abort.signal.aborted || this.#tried.get(name) === version || planCompletion(seen).kind === 'leave')
      return;
    this.#tried.set(name, version);
    const running = this.#finish({ name, record: seen.record, memory });
    this.#running.add(running);
    void running.then(() => this.#running.delete(running));
  }

  /** Puts back what was changed. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await Promise.all(this.#running);
  }

  async #finish(orphan: Orphan): Promise<void> {
    const { name, record, memory } = orphan;
    const { enter, redis, onReport } = this.#options;
    const { signal } = this.#abort;
    const priorityOverride = new ReplicaPriorityOverride(redis);
    const deadlineMs = performance.now() + patienceMs;
    let leave = async (): Promise<void> => {};
    let sentinel: Address | undefined;
    try {
      let lease = await enter(name, signal);
      while (lease.kind === 'full') {
        if (performance.now() > deadlineMs || !isOpen(orphan)) return;
        await delay(enterAgainMs, undefined, { signal });
        lease = await enter(name, signal);
      }
      leave = lease.leave;
      sentinel = await this.#order(orphan, { priorityOverride, deadlineMs });
      if (sentinel === undefined) return;
      onReport({ name, record, sentinel, error: undefined });
      const isOver = ({ epoch, phase }: MasterRecord) => epoch > record.epoch || phase === 'confirmed';
      // Told to stop, it waits no longer: Sentinel selects within two ticks of its timer.
      await Promise.race([memory.whenRemembered(isOver, { timeoutMs: patienceMs }), stopping(signal)]);
    } catch (thrown) {
      if (!signal.aborted) onReport({ name, record, sentinel: undefined, error: SwitchmasterError.from(thrown) });
    } finally {
      await priorityOverride.restore(sentinel === undefined ? 'nothing' : 'failover');
      await leave();
    }
  }

  /** The Sentinel that was asked; undefined where that was not needed any more, or in vain. */
  async #order(
    orphan: Orphan,
    {
      priorityOverride,
      deadlineMs,
    }: { readonly priorityOverride: ReplicaPriorityOverride; readonly deadlineMs: number },
  ): Promise<Address | undefined> {
    const { name, record } = orphan;
    const startedMs = performance.now();
    let pausedMs = startedMs;
    for (;;) {
      const plan = await this.#look(orphan);
      const nowMs = performance.now();
      if (!isOpen(orphan) || nowMs > deadlineMs) return undefined;
      if (plan.kind === 'order' && nowMs - startedMs > graceMs) return this.#ask(name, plan.sentinel);
      if (plan.kind === 'prefer') await priorityOverride.surpass(plan.rivals, plan.above);
      if (plan.kind !== 'leave' && record.previous !== null && nowMs - pausedMs > renewPauseMs) {
        pausedMs = nowMs;
        await this.#options.fencer.hold(name, record.previous);
      }
      await delay(lookAgainMs, undefined, { signal: this.#abort.signal });
    }
  }

  async #look({ name, record }: Orphan): Promise<Completion> {
    const { sentinels, redis } = this.#options;
    const [readings, { role }] = await Promise.all([
      sentinels.read(name),
      redis.role(record.master, { timeoutMs: askTimeoutMs }),
    ]);
    return planCompletion({ record, views: distinctViews(readings), knownSentinels: sentinels.count(name), role });
  }

  async #ask(name: string, sentinel: Address): Promise<Address> {
    const link = this.#options.sentinels.linkTo(name, sentinel);
    if (link === undefined) {
      const message = `The Sentinel ${formatAddress(sentinel)} cannot be reached any more.`;
      throw new SwitchmasterError('failover-stalled', message);
    }
    await orderFailover(link, name);
    return sentinel;
  }
}

/** A moment after it was told to. */
function stopping(signal: AbortSignal): Promise<unknown> {
  return delay(patienceMs, undefined, { signal, ref: false }).catch(() => delay(selectionMs));
}

/** A failover that was followed, and whose leader is gone. */
interface Orphan {
  readonly name: string;
  readonly record: MasterRecord;
  readonly memory: MasterMemory;
}

/** Neither confirmed nor replaced since. */
function isOpen({ record, memory: { remembered } }: Orphan): boolean {
  return remembered !== undefined && compareVersions(remembered, record) === 0 && remembered.phase === 'promoted';
}
