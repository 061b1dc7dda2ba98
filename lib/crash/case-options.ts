import type { CrashEndKind } from '../model/crash-end.ts';
import type { Permit } from '../semaphore.ts';
import type { CrashEvidence } from './evidence.ts';
import type { CrashLeaseOptions } from './lease.ts';
import type { CrashEnd } from './subject.ts';

export interface CrashCaseParts extends CrashLeaseOptions {
  readonly evidence: CrashEvidence;
  readonly bridgeId: string;
  readonly crashAfterMs: number;
}

/** What is particular to one judgement of a crash. */
export interface CrashCaseRun<Target> {
  /** After the proof, for what keeps it from an order, such as connections that have not noticed. It may change. */
  readonly waitMs: (obstacle?: CrashEndKind) => number;
  /** To judge it: few crashes are judged at once. */
  readonly permit: Pick<Permit, 'enter' | 'leave'>;
  /** Whether another process has answered and closed since. What was known is too old then, and another case follows. */
  readonly isOutdated: () => boolean;
  /** When the judgement was wanted, in milliseconds of `performance.now()`. It may have waited since. */
  readonly startedMs: number;
  /** Consul's index of the last order from before the crash; undefined where it is not known. */
  readonly orderBefore: number | undefined;
  /** Called at most once, if the crash was proven. */
  readonly onEnd: (end: CrashEnd<Target>) => void;
}

/** `judged`: the process is gone. `not-crashed`: one answers. `unclear`: it cannot be proven, as after a pause of the bridge. */
export type Judgement = 'judged' | 'not-crashed' | 'unclear';
