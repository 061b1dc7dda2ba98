import { type Address, sameAddress } from '../../model/address.ts';
import { compareVersions, type Version } from '../../model/epoch.ts';
import type { HeldRecord, MasterRecord } from '../../model/record.ts';
import type { RoleAnswer, SentinelView } from '../../model/sentinel.ts';
import { agreedReplicas } from './check-opinion.ts';
import { hasMajority } from './vote.ts';

/* What the decision about one master is made of: what is known, what may come of it, and the record in between. */

/** What a bridge knows when it decides. Times are milliseconds of one clock. */
export interface Situation {
  /** What Consul holds. */
  readonly held: HeldRecord;
  /** The newest record that this bridge has ever seen Consul hold: it outlives a deletion, an edit and a Consul that lost its data. */
  readonly remembered: MasterRecord | undefined;
  /** The last promotion that this bridge followed, whether Consul has taken it or not: traffic on its node is there. */
  readonly decided?: MasterRecord | undefined;
  /** The epoch of a promotion that was followed and came to nothing: only the Sentinels' own word brings it back. */
  readonly abandonedEpoch?: number | undefined;
  /** Fresh views only, one a Sentinel. */
  readonly views: readonly SentinelView[];
  /** What Sentinels that are failing over promote: their views are not among those that count. */
  readonly promoting?: readonly Address[];
  /** How many Sentinels of this master the bridge knows of, whether they answer or not. */
  readonly knownSentinels: number;
  /** Set where most Sentinels answer and none of them knows this master: a sentence. */
  readonly unmonitored?: string | undefined;
  /** False where only the Sentinel that raised the alarm was asked: enough for a newer epoch, not for anything else. */
  readonly complete: boolean;
  readonly role: RoleAnswer | undefined;
  /** Answers of others that were asked besides. */
  readonly otherRoles?: readonly RoleAnswer[];
  /** Whether a promotion is followed before the Sentinels announce it. */
  readonly follow: FollowMode;
  /** Somebody asked for a new generation by hand. */
  readonly rebaseAsked?: 'asked' | 'not-asked';
  readonly lagging: Lagging | undefined;
  readonly nowMs: number;
  readonly rebaseAfterMs: number;
}

/** Which moment of a failover counts: the replica's answer as a master, or `+switch-master`. */
export type FollowMode = 'promotion' | 'announcement';

/** Since when a majority of the Sentinels has agreed on an older epoch than the record's, or on another master at it. */
export interface Lagging {
  readonly master: Address;
  readonly epoch: number;
  readonly sinceMs: number;
}

export type Decision =
  /** The record is what the Sentinels say. */
  | { readonly kind: 'stands'; readonly record: MasterRecord }
  /** Ask this address for its ROLE and decide again. */
  | { readonly kind: 'ask-role'; readonly address: Address; readonly lagging?: Lagging }
  /** A new record, to be written by compare-and-set on `held`. */
  | { readonly kind: 'publish'; readonly draft: Draft; readonly cause: Cause }
  /** Ask every Sentinel and decide again. */
  | { readonly kind: 'look-closer' }
  /** Nothing may be written yet. */
  | {
      readonly kind: 'wait';
      readonly why: Wait;
      readonly summary: string;
      readonly lagging?: Lagging;
      readonly retryAfterMs?: number;
    }
  /** Two masters at one epoch: alarm, write nothing. `lagging`: a majority agrees on the other one. */
  | { readonly kind: 'conflict'; readonly summary: string; readonly lagging?: Lagging; readonly retryAfterMs?: number };

export type Cause = 'initial' | 'failover' | 'rebase' | 'confirmed' | 'replicas' | 'restored';
export type Wait = 'no-sentinel' | 'no-majority' | 'not-master-yet' | 'older' | 'rebase' | 'unconfirmed';

/** Whether the decision makes another address the master. */
export function isMasterChange(decision: Decision): boolean {
  return decision.kind === 'publish' && (decision.cause === 'failover' || decision.cause === 'rebase');
}

/** A record but for who writes it and when. */
export interface Draft
  extends Pick<MasterRecord, 'generation' | 'epoch' | 'phase' | 'master' | 'replicas' | 'previous' | 'reason'> {
  /** Where the master stays who it was: who made it master, and when. */
  readonly kept?: Pick<MasterRecord, 'changedAt' | 'changedBy'>;
}

/** The record as it is written. A draft of the same master keeps who made it master, and when. */
export function completeRecord(
  draft: Draft,
  signature: { readonly name: string; readonly changedAt: string; readonly changedBy: string },
): MasterRecord {
  const { kept, ...rest } = draft;
  return { version: 1, ...signature, ...kept, ...rest };
}

/** The same master: who made it so, and when, stays. */
export function keep(record: MasterRecord): Draft {
  const { generation, epoch, phase, master, replicas, previous, reason, changedAt, changedBy } = record;
  return { generation, epoch, phase, master, replicas, previous, reason, kept: { changedAt, changedBy } };
}

/** A record of what `best` says, at `version`. */
export function draftOf(
  situation: Situation,
  step: {
    readonly version: Version;
    readonly best: SentinelView;
    readonly from: MasterRecord | undefined;
    readonly reason: string;
  },
): Draft {
  const { best, from, version, reason } = step;
  const moved = from !== undefined && !sameAddress(from.master, best.master);
  return {
    ...version,
    phase: hasMajority(best, situation) ? 'confirmed' : 'promoted',
    master: best.master,
    replicas: agreedReplicas(
      situation.views.filter((view) => view.configEpoch === best.configEpoch),
      best.master,
    ),
    previous: moved ? from.master : (from?.previous ?? null),
    reason,
  };
}

/** The newest record there is or was: nothing older than it is ever published again. */
export function newestKnown({ held, remembered }: Pick<Situation, 'held' | 'remembered'>): MasterRecord | undefined {
  if (held.kind !== 'present') return remembered;
  return remembered !== undefined && compareVersions(remembered, held.record) > 0 ? remembered : held.record;
}

/** How an address answered ROLE, if it was asked. */
export function answerOf(situation: Situation, address: Address): RoleAnswer['role'] | undefined {
  const answers = [situation.role, ...(situation.otherRoles ?? [])];
  return answers.find((answer) => answer !== undefined && sameAddress(answer.address, address))?.role;
}
