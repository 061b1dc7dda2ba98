import type { RedisPool } from '../../client/redis-pool.ts';
import { type Address, sameAddress } from '../../model/address.ts';
import type { FreshAnswers } from '../hint.ts';
import type { SentinelHint, SentinelSource } from './sentinels.ts';

export interface PromotionReadingsOptions {
  readonly sentinels: Pick<SentinelSource, 'read'>;
  readonly redis: Pick<RedisPool, 'role'>;
  /** How long the promoted replica may take to answer, in milliseconds. */
  readonly roleDeadlineMs: number;
}

/**
 * Asks the Sentinel that leads a failover and the replica that it promoted, before the announcement, so that the transaction
 * need not wait for them then. From the promotion on, the leader's config-epoch is that of the failover, and it does not
 * abort any more (sentinel.c, sentinelRefreshInstanceInfo). It announces the new master at the tick of its timer that
 * follows the promotion, or the last replica's `+slave-reconf-done`.
 */
export class PromotionReadings {
  readonly #options: PromotionReadingsOptions;
  readonly #read = new Map<string, PromotionReading>();

  constructor(options: PromotionReadingsOptions) {
    this.#options = options;
  }

  /** Takes every message of a Sentinel, also that it was disconnected. */
  heard(name: string, { sentinel, event: { event }, election }: SentinelHint): void {
    const isLost = event === 'disconnected' || event.startsWith('-failover-abort') || event === '+reset-master';
    if (isLost) this.#forget(name, sentinel);
    else if (election !== undefined && lastSteps.has(event)) this.#ask(name, { sentinel, selected: election.selected });
  }

  /**
   * What the leader and `target` answered, once: undefined where they were not asked, or too long ago. Another Sentinel may
   * announce the new master first, because it hears of it from the leader.
   */
  take(name: string, target: Address): FreshAnswers | undefined {
    const reading = this.#read.get(name);
    if (reading === undefined) return undefined;
    this.#read.delete(name);
    const { selected, answers } = reading;
    return sameAddress(selected, target) && performance.now() < answers.untilMs ? answers : undefined;
  }

  #ask(name: string, { sentinel, selected }: Omit<PromotionReading, 'answers'>): void {
    const { sentinels, redis, roleDeadlineMs } = this.#options;
    const untilMs = performance.now() + validMs;
    // Without an answer, the Sentinel is asked again when it announces the master.
    const readings = sentinels.read(name, { only: [sentinel] }).catch(() => []);
    const role = redis.role(selected, { timeoutMs: roleDeadlineMs });
    this.#read.set(name, { sentinel, selected, answers: { readings, role, untilMs } });
  }

  #forget(name: string, sentinel: Address): void {
    const reading = this.#read.get(name);
    if (reading !== undefined && sameAddress(reading.sentinel, sentinel)) this.#read.delete(name);
  }
}

interface PromotionReading {
  readonly sentinel: Address;
  readonly selected: Address;
  readonly answers: FreshAnswers;
}

const lastSteps: ReadonlySet<string> = new Set(['+promoted-slave', '+slave-reconf-done']);
/** Sentinel's timer ticks once or twice meanwhile. */
const validMs = 250;
