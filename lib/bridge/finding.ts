import type { Address } from '../model/address.ts';
import type { JudgedOutage } from '../model/outage.ts';
import type { StoredRecord } from '../model/record.ts';
import type { RoleAnswer, SentinelView } from '../model/sentinel.ts';
import type { RecordReading } from './observe/record-slices.ts';
import type { Situation, Suspicion } from './plan/decision.ts';

/** What one run of the bridge found out about one master. It does not change; the next run makes another. */
export interface Finding {
  readonly name: string;
  readonly reading: RecordReading;
  /** The record as Consul holds it: pushed by the watch, or read or written since. */
  readonly held: StoredRecord;
  /** What the bridge remembers of earlier runs. */
  readonly past: Past;
  /** Set where nothing shows that a bridge wrote the newest record. */
  readonly edit?: Suspicion | undefined;
  readonly views: readonly SentinelView[];
  /** Whether the bridge asked every Sentinel. */
  readonly complete: boolean;
  /** Set where most Sentinels answer and none of them knows this master. */
  readonly unmonitored?: string | undefined;
  readonly role: RoleAnswer | undefined;
  /** What a Sentinel announced as the new master after the leader had answered; undefined where the Sentinel was asked then. */
  readonly announced?: Address | undefined;
  /** Set where the bridge asked every Sentinel and the master is objectively down or failed over. */
  readonly outage?: JudgedOutage | undefined;
  /** When the run was woken, and when the last answer arrived: milliseconds of `performance.now()`. */
  readonly wokenMs: number;
  readonly observedMs: number;
}

export type Past = Pick<Situation, 'remembered' | 'trusted' | 'decided' | 'abandonedEpoch' | 'lagging' | 'rebaseAsked'>;

/** What a run observed, before it is compared with what Consul holds. */
export type Observation = Pick<Finding, 'views' | 'complete' | 'role' | 'announced' | 'wokenMs' | 'unmonitored'>;
