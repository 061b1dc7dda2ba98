import type { MasterRecord } from '../../model/record.ts';
import type { MasterMemory } from '../memory.ts';
import type { CrashReplica } from '../plan/crash.ts';

/** A master to which a connection was closed. */
export interface ClosedMaster {
  readonly name: string;
  readonly record: MasterRecord;
  readonly memory: MasterMemory;
  /** As they were before. */
  readonly replicas: readonly Pick<CrashReplica, 'address' | 'wasInStep'>[];
  /** The run ids by which the Sentinels knew its process. */
  readonly runIds: readonly string[];
  /** When a Sentinel has lost an election for its failover since then, in milliseconds of `performance.now()`. */
  readonly electionFailedMs: number | undefined;
}
