import type { Address } from '../../../model/address.ts';

/** Whom a master can hear. Each of them alone is enough. */
export type Contact = 'replica' | 'sentinels' | 'consul';

/** What one round found out about a Redis of this node. Times are milliseconds of `performance.now()`. */
export interface IsolationReading {
  readonly atMs: number;
  /**
   * `ackAgeMs`: how long ago the last acknowledgement of a replica arrived; undefined where no replica is online. `forMs`: how long it
   * has not answered.
   */
  readonly server:
    | { readonly kind: 'unanswered'; readonly forMs: number }
    | { readonly kind: 'replica' }
    | { readonly kind: 'master'; readonly ackAgeMs: number | undefined };
  /** How many Sentinels the master has, and how many of them answered now; `unasked`: a replica was heard, which is enough. */
  readonly sentinels: { readonly known: number; readonly heard: number | 'unasked' };
  /** Whether Consul's leader answered now; `unasked`: a replica or a majority of the Sentinels was heard. */
  readonly consul: 'heard' | 'silent' | 'unasked';
  /** `no`: the record and the Sentinels list no replica, so nobody can take its place. */
  readonly replaceable: 'yes' | 'no' | 'unknown';
  /**
   * Another server is master now. While writes are paused, any sign of it counts, also a failover that is under way; otherwise only
   * proof (../successor.ts).
   */
  readonly successor: Address | 'being promoted' | undefined;
  /**
   * What the record says. `own`: Consul has just answered that this server is the master. Otherwise the phase of the promotion of
   * another one; `confirmed` also where a majority of the Sentinels just said so.
   */
  readonly record: 'own' | 'promoted' | 'confirmed' | 'unknown';
  /** Why nothing may be done about the master: it is in maintenance. */
  readonly maintenance: string | undefined;
}

export type InactiveReason = 'not answered' | 'replica' | 'no sentinels' | 'no replicas' | 'maintenance' | OverReason;

/** Why a pause for a successor ended, although the server is not a replica yet. */
export type OverReason =
  /** It was replaced, and no bridge or Sentinel has made it a replica in time. */
  | 'replaced for too long'
  /** The record named another server, but no majority of the Sentinels adopted it in time. */
  | 'successor unconfirmed';

export type IsolationState =
  /** It is never paused. `over`: why its last pause for a successor ended, where `why` is another reason. */
  | {
      readonly kind: 'inactive';
      readonly why: InactiveReason;
      readonly over?: OverReason | undefined;
      readonly atMs: number;
    }
  /** `heardMs`: when the last of them was heard. `consulMs`: since when it is Consul alone. `releasedMs`: when a pause ended. */
  | {
      readonly kind: 'connected';
      readonly by: Contact;
      readonly heardMs: number;
      readonly consulMs?: number | undefined;
      readonly releasedMs?: number | undefined;
      readonly atMs: number;
    }
  /**
   * Nobody answered in `rounds` consecutive rounds. `consulMs`: since when it had been Consul alone before. `over`: it was paused for
   * a successor as long as possible before.
   */
  | {
      readonly kind: 'silent';
      readonly rounds: number;
      readonly heardMs: number;
      readonly consulMs?: number | undefined;
      readonly over?: OverReason | undefined;
      readonly atMs: number;
    }
  /** Its writes are paused. `replicaMs`, `consulMs`: since when a replica or Consul is heard, and nobody else. `over`: see above. */
  | {
      readonly kind: 'isolated';
      readonly sinceMs: number;
      readonly heardMs: number;
      readonly replicaMs?: number | undefined;
      readonly consulMs?: number | undefined;
      readonly over?: OverReason | undefined;
      readonly atMs: number;
    }
  /** It hears somebody, and another server is master now: its writes are paused until it is a replica. */
  | {
      readonly kind: 'replaced';
      /** Whether it heard somebody all the time. */
      readonly after: 'isolation' | 'connection';
      readonly successor: Address | 'being promoted';
      readonly by: Contact;
      readonly sinceMs: number;
      readonly replicaMs?: number | undefined;
      readonly atMs: number;
    };

export type Paused = Extract<IsolationState, { kind: 'isolated' | 'replaced' }>;

export function isPaused(state: IsolationState | undefined): state is Paused {
  return state?.kind === 'isolated' || state?.kind === 'replaced';
}

/** Why its last pause for a successor ended, as long as that may last. */
export function overOf(state: IsolationState | undefined): OverReason | undefined {
  if (isOver(state)) return state.why;
  return state !== undefined && 'over' in state ? state.over : undefined;
}

/** Whether it is not paused for that reason, although it hears somebody. */
export function isOver(
  state: IsolationState | undefined,
): state is Extract<IsolationState, { kind: 'inactive' }> & { readonly why: OverReason } {
  return state?.kind === 'inactive' && (state.why === 'replaced for too long' || state.why === 'successor unconfirmed');
}
