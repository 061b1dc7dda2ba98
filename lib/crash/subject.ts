import type { Address } from '../model/address.ts';
import type { CrashDecision, CrashSign, JudgingBridge, RestartedMaster } from '../model/crash.ts';
import type { CrashEndKind } from '../model/crash-end.ts';
import type { Way } from './connect-attempt.ts';

/** A master to which a connection was closed: what differs between one of Sentinels and one of a Redis Cluster. */
export interface CrashSubject<Target> {
  /** By which the bridges exchange their evidence. */
  readonly name: string;
  readonly master: Address;
  /** The ways by which this host reached it. */
  readonly ways: readonly Way[];
  /** The run ids by which its process was known. */
  readonly runIds: readonly string[];
  /** Why nothing may be ordered about it; undefined where it may. */
  whyNot(): string | undefined;
  /** Asks the process at its address for INFO. Rejects where it does not answer. */
  readInfo(): Promise<unknown>;
  /** Asks the servers around it once, and returns what takes in their answers. */
  readOthers(): Promise<() => void>;
  /** Forgets what they answered: it is about an earlier moment. */
  forgetOthers(): void;
  /** Whether its replicas would lose keys by copying it; undefined before they have answered. */
  wouldLoseKeys(restarted: RestartedMaster): boolean | undefined;
  decide(known: CrashKnowledge): CrashDecision<Target>;
  /** How long an order counts: the shortest time between two failovers. */
  failoverTimeMs(): number;
  /** For the key of the order in Consul. */
  describe(target: Target): Readonly<Record<string, string>>;
  /** Rejects with `redis-refused` where it may be ordered again. */
  order(target: Target): Promise<void>;
  /** Resolves when the failover that was ordered is followed, or will not be. */
  followed(signal: AbortSignal): Promise<void>;
  /** Resolves when the failover that was ordered needs no more work of others, or will not succeed soon. */
  settled(signal: AbortSignal): Promise<void>;
  report(end: CrashEnd<Target>): void;
}

/** What the subject does not know by itself when it decides. */
export interface CrashKnowledge {
  readonly sign: CrashSign;
  readonly crashAfterMs: number;
  readonly nowMs: number;
  /** How long ago any bridge ordered a failover because of a crash; undefined where none did. */
  readonly lastOrderAgeMs: number | undefined;
  readonly bridges: readonly JudgingBridge[];
}

/** The end of a case that is worth a report. Times are milliseconds of `performance.now()`. */
export interface CrashEnd<Target> {
  readonly kind: CrashEndKind;
  readonly sign: CrashSign;
  /** undefined where no failover was ordered, for the reason `why`. */
  readonly target: Target | undefined;
  readonly why: string | undefined;
  /** For how long nothing can be ordered, if that is known. */
  readonly forMs: number | undefined;
  readonly bridges: readonly JudgingBridge[];
  readonly startedMs: number;
  readonly provenMs: number | undefined;
  readonly endedMs: number;
}

/** How the watch over a master ends. `not-crashed` and `unclear`: see `Judgement`. */
export type CaseEnd<Target> = CrashEnd<Target> | 'not-crashed' | 'unclear';
