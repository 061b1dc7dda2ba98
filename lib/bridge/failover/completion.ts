import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { RedisPool } from '../../client/redis-pool.ts';
import { SwitchmasterError } from '../../errors.ts';
import type { MaintenancePart } from '../../maintenance/part.ts';
import { type Address, formatAddress } from '../../model/address.ts';
import { compareVersions } from '../../model/epoch.ts';
import type { MasterRecord } from '../../model/record.ts';
import type { Fencer } from '../fencing/fencer.ts';
import type { MasterMemory } from '../memory.ts';
import { distinctViews } from '../observe/sentinel-reading.ts';
import type { SentinelSource } from '../observe/sentinels.ts';
import type { Steering } from '../steering.ts';
import { type Completion, type CompletionSituation, planCompletion } from './completion-plan.ts';
import { orderFailover } from './order.ts';
import { ReplicaPriorityOverride } from './replica-priority.ts';

/** The result for a failover that lost its leader, for the log and the journal. */
export interface CompletionReport {
  readonly name: string;
  readonly record: MasterRecord;
  /** The Sentinel that was ordered to fail over to the promoted replica, if any. */
  readonly sentinel: Address | undefined;
  readonly error: SwitchmasterError | undefined;
}

export interface CompletionOptions {
  readonly sentinels: SentinelSource;
  readonly redis: RedisPool;
  readonly fencer: Fencer;
  readonly steering: Pick<Steering, 'enter'>;
  readonly maintenance: Pick<MaintenancePart, 'whyNot'>;
  readonly onReport: (report: CompletionReport) => void;
}

/** A leader that is alive, and only out of reach of this bridge, announces the promotion within a second. */
const graceMs = 1_000;
/** After about this time the other Sentinels convert the promoted replica back. */
const deadlineAfterMs = 12_000;
const pollMs = 100;
const lockRetryMs = 300;
const askTimeoutMs = 500;
/** Sentinel's timer ticks every 100 ms. */
const selectionMs = 300;
/** Shorter than the pause of five seconds. */
const renewPauseMs = 4_000;

/**
 * Completes failovers whose leader died between the promotion and its announcement: it orders another Sentinel to fail over
 * to the promoted replica. See docs/promotion.md, "A leader that dies". It tries each failover once.
 */
export class FailoverCompletion {
  readonly #options: CompletionOptions;
  /** By master name: the last version of the record, and whether its completion was tried. */
  readonly #seen = new Map<
    string,
    { readonly version: string; readonly sinceMs: number; tried: boolean; running: boolean }
  >();
  readonly #running = new Set<Promise<void>>();
  readonly #abort = new AbortController();

  constructor(options: CompletionOptions) {
    this.#options = options;
  }

  /** The bridge calls this with each complete reading of a master. Does not wait. */
  consider(name: string, seen: Omit<CompletionSituation, 'openForMs'>, memory: MasterMemory): void {
    const version = `${seen.record.generation}/${seen.record.epoch}/${seen.record.phase}`;
    const known = this.#seen.get(name);
    const open =
      known?.version === version ? known : { version, sinceMs: performance.now(), tried: false, running: false };
    this.#seen.set(name, open);
    const { sinceMs } = open;
    if (this.#abort.signal.aborted || open.tried || open.running) return;
    if (planCompletion({ ...seen, openForMs: performance.now() - sinceMs }).kind === 'leave') return;
    if (this.#options.maintenance.whyNot(name) !== undefined) return;
    Object.assign(open, { tried: true, running: true });
    const running = this.#complete({ name, record: seen.record, memory, sinceMs });
    this.#running.add(running);
    void running.then(() => {
      open.running = false;
      this.#running.delete(running);
    });
  }

  /** What maintenance stopped may be tried again, after the end of what is under way. */
  maintenanceEnded(name: string): void {
    const open = this.#seen.get(name);
    if (open !== undefined) open.tried = false;
  }

  /** Stops, and restores the priorities. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await Promise.all(this.#running);
  }

  async #complete(failover: LeaderlessFailover): Promise<void> {
    const { name, record, memory } = failover;
    const { steering, redis, onReport } = this.#options;
    const { signal } = this.#abort;
    const priorityOverride = new ReplicaPriorityOverride(redis);
    const deadlineMs = performance.now() + deadlineAfterMs;
    let leave = async (): Promise<void> => {};
    let sentinel: Address | undefined;
    try {
      let lease = await steering.enter(name, signal);
      while (lease.kind === 'full') {
        if (performance.now() > deadlineMs || !this.#isOpen(failover)) return;
        await delay(lockRetryMs, undefined, { signal });
        lease = await steering.enter(name, signal);
      }
      leave = lease.leave;
      sentinel = await this.#order(failover, { priorityOverride, deadlineMs });
      if (sentinel === undefined) return;
      onReport({ name, record, sentinel, error: undefined });
      const isOver = ({ epoch, phase }: MasterRecord) => epoch > record.epoch || phase === 'confirmed';
      // After a stop it waits only for the selection: Sentinel selects within two ticks of its timer.
      await Promise.race([memory.whenRemembered(isOver, { timeoutMs: deadlineAfterMs }), stopping(signal)]);
    } catch (thrown) {
      if (!signal.aborted) onReport({ name, record, sentinel: undefined, error: SwitchmasterError.from(thrown) });
    } finally {
      await priorityOverride.restore(sentinel === undefined ? 'nothing' : 'failover');
      await leave();
    }
  }

  /** Returns the Sentinel that was ordered, or undefined if none could be, or need be any more. */
  async #order(
    failover: LeaderlessFailover,
    {
      priorityOverride,
      deadlineMs,
    }: { readonly priorityOverride: ReplicaPriorityOverride; readonly deadlineMs: number },
  ): Promise<Address | undefined> {
    const { name, record } = failover;
    const startedMs = performance.now();
    let pausedMs = startedMs;
    for (;;) {
      const plan = await this.#plan(failover);
      const nowMs = performance.now();
      if (!this.#isOpen(failover) || nowMs > deadlineMs) return undefined;
      if (plan.kind === 'order' && nowMs - startedMs > graceMs) return this.#orderAt(name, plan.sentinel);
      if (plan.kind === 'raise-priorities') await priorityOverride.raiseAbove(plan.competitors, plan.above);
      if (plan.kind !== 'leave' && record.previous !== null && nowMs - pausedMs > renewPauseMs) {
        pausedMs = nowMs;
        await this.#options.fencer.hold(name, record.previous);
      }
      await delay(pollMs, undefined, { signal: this.#abort.signal });
    }
  }

  /** Neither confirmed nor replaced meanwhile, nor in maintenance. */
  #isOpen({ name, record, memory: { record: known } }: LeaderlessFailover): boolean {
    if (known === undefined || compareVersions(known, record) !== 0 || known.phase !== 'promoted') return false;
    return this.#options.maintenance.whyNot(name) === undefined;
  }

  async #plan({ name, record, sinceMs }: LeaderlessFailover): Promise<Completion> {
    const { sentinels, redis } = this.#options;
    const [readings, { role }] = await Promise.all([
      sentinels.read(name),
      redis.role(record.master, { timeoutMs: askTimeoutMs }),
    ]);
    const [views, knownSentinels] = [distinctViews(readings), sentinels.count(name)];
    return planCompletion({ record, views, knownSentinels, role, openForMs: performance.now() - sinceMs });
  }

  async #orderAt(name: string, sentinel: Address): Promise<Address> {
    const link = this.#options.sentinels.linkTo(name, sentinel);
    if (link === undefined) {
      const message = `The Sentinel ${formatAddress(sentinel)} cannot be reached any more.`;
      throw new SwitchmasterError('failover-stalled', message);
    }
    await orderFailover(link, name);
    return sentinel;
  }
}

/** Resolves a moment after the stop. */
function stopping(signal: AbortSignal): Promise<unknown> {
  return delay(deadlineAfterMs, undefined, { signal, ref: false }).catch(() => delay(selectionMs));
}

/** A failover that the bridge has followed, and whose leader is gone. */
interface LeaderlessFailover {
  readonly name: string;
  readonly record: MasterRecord;
  readonly memory: MasterMemory;
  /** Since when the bridge has seen the record unconfirmed. */
  readonly sinceMs: number;
}
