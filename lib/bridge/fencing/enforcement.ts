import type { RedisPool } from '../../client/redis-pool.ts';
import type { SentinelConfig } from '../../config/model.ts';
import type { SwitchmasterError } from '../../errors.ts';
import type { Address } from '../../model/address.ts';
import type { SecondMaster } from '../../model/second-master.ts';
import type { SentinelView } from '../../model/sentinel.ts';
import type { FenceAction, FenceSituation } from './plan.ts';

/** One action on a former master, for the log and the journal. */
export interface FenceReport {
  readonly name: string;
  readonly action: FenceAction['kind'] | 'pause-before-promotion' | 'disconnect' | 'release';
  readonly address: string;
  /** Why the action failed. */
  readonly error: SwitchmasterError | undefined;
  /** The optional steps of the action that the server refused. */
  readonly refused: readonly string[];
}

export interface FencerOptions {
  readonly redis: RedisPool;
  readonly settings: Pick<SentinelConfig, 'fence'>;
  /** Why nothing may be done to a master's nodes: it is in maintenance. */
  readonly whyNot: (name: string) => string | undefined;
  readonly onReport: (report: FenceReport) => void;
}

export interface EnforceOptions {
  /** Every node of this master that any Sentinel has listed. */
  readonly members: readonly Address[];
  /** What the Sentinels said before the servers are asked. */
  readonly views: readonly SentinelView[];
  readonly weigh: () => Promise<Pick<FenceSituation, 'evidence' | 'views'>>;
  readonly stillHolds: () => boolean;
}

export interface Enforced {
  /**
   * The former masters that answered as master, also if no action was possible, and those that this bridge has paused and that did
   * not answer: they must be asked again soon.
   */
  readonly stale: readonly Address[];
  /** Those among them that still are a second master after the actions, and servers that the Sentinels report as one. */
  readonly secondMasters: readonly SecondMaster[];
}
