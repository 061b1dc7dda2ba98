import type { RedisPool } from '../../client/redis-pool.ts';
import { SwitchmasterError } from '../../errors.ts';
import type { OrderEnds } from '../../loop/orders-under-way.ts';
import type { MaintenancePart } from '../../maintenance/part.ts';
import type { Address } from '../../model/address.ts';
import type { MasterMemory } from '../memory.ts';
import type { SentinelSource } from '../observe/sentinels.ts';
import type { Steering } from '../steering.ts';
import type { Manner } from './manner.ts';
import type { RefusedHandOvers } from './refused-handovers.ts';

/*
 * A planned failover that loses no acknowledged write:
 *
 *   checked → ordered → paused → caught up → promoted → confirmed → demoted
 *
 * The old master's writes wait from `paused` on, so its offset stops, and the replicas reach it before one is promoted:
 * planned-pause.ts says how. Where replicas are not in step, or the server does not permit it, the pause comes first, and Sentinel
 * gets its order when the replicas have caught up. The bridge follows the promotion like any other. If a step before the promotion
 * fails, the bridge releases the writes, and nothing has changed. If this process dies, the pause ends by itself.
 *
 * Where Sentinel and the servers know coordinated failovers (manner.ts), the master itself pauses its writes and hands over
 * (handover.ts), and no step is called `caught up`. handover-end.ts says what is known where that fails.
 */

export type PlannedStep = 'checked' | 'paused' | 'caughtUp' | 'ordered' | 'promoted' | 'confirmed' | 'demoted';

export interface PlannedReport {
  readonly name: string;
  /** Who paused the writes: the master itself, or the bridge. */
  readonly manner: Manner['kind'];
  readonly from: Address;
  readonly to: Address;
  readonly generation: number;
  readonly epoch: number;
  /** When each step was reached, in milliseconds since the start. */
  readonly stages: Readonly<Partial<Record<PlannedStep, number>>>;
  /**
   * In milliseconds, to the new master's first answer as a master. From the pause; in a coordinated failover at most, from the last
   * moment at which the master was seen to take writes.
   */
  readonly withoutWritesMs: number;
  /** The old master's offset after its writes had stopped (null: not known), and the part of it that the new master has. */
  readonly offsets: { readonly paused: number | null; readonly inherited: number };
}

/** The default limit for each step: for the replicas to catch up, and for Sentinel to promote one. */
export const stepTimeoutMs = 10_000;

/**
 * The default limit for the time before the first step. A Sentinel reads INFO every 10 s, and a replica that stays out of sync is
 * excluded after 15 s; the Sentinels need up to 10 s more to see that.
 */
export const defaultWaitMs = 60_000;

export interface PlannedOptions {
  readonly successor?: Address;
  /** The limit for each step, in milliseconds. Default: `stepTimeoutMs`. */
  readonly timeoutMs?: number;
  /** How long it may wait until it can begin, in milliseconds. Default: `defaultWaitMs`. */
  readonly waitMs?: number;
  /** Ends the wait. It has no effect once the failover has begun. */
  readonly signal?: AbortSignal;
  /** Called when it waits for something else than before. */
  readonly onWait?: (why: string, elapsedMs: number) => void;
  readonly onStep?: (step: PlannedStep, elapsedMs: number) => void;
}

export interface PlannedFailoverParts {
  readonly sentinels: SentinelSource;
  readonly redis: RedisPool;
  readonly memory: MasterMemory;
  /** Why Consul is out of reach, or undefined. */
  readonly consulOutage: () => string | undefined;
  readonly maintenance: Pick<MaintenancePart, 'verdict' | 'except'>;
  readonly steering: Steering;
  readonly refusedHandOvers: RefusedHandOvers;
  readonly ends: OrderEnds;
}

export function refused(name: string, why: string, cause?: SwitchmasterError): SwitchmasterError {
  return new SwitchmasterError('failover-refused', `${name} is not failed over: ${why}`, { cause });
}
