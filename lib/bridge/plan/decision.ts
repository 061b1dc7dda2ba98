import { type Address, sameAddress } from '../../model/address.ts';
import { agreedReplicas } from '../../model/check-opinion.ts';
import { compareVersions, type Version } from '../../model/epoch.ts';
import type { MasterRecord, StoredRecord } from '../../model/record.ts';
import type { RoleAnswer, SentinelView } from '../../model/sentinel.ts';
import { hasMajority } from './vote.ts';

/* The decision about one master: its input, its results, and the draft of a record. */

/** What a bridge knows when it decides. Times are milliseconds of one clock. */
export interface Situation {
  /** What Consul holds. */
  readonly held: StoredRecord;
  /** The newest record that this bridge has seen in Consul, also after a deletion, an edit or a loss of Consul's data. */
  readonly remembered: MasterRecord | undefined;
  /** The newest record that this bridge wrote, or that it knows another one wrote; undefined until it knows of one. */
  readonly trusted?: MasterRecord | undefined;
  /** The last failover that this bridge followed, even if Consul has not taken it: traffic on its node goes there. */
  readonly decided?: MasterRecord | undefined;
  /** The epoch of a promotion that the bridge followed and that failed: only a majority of the Sentinels brings it back. */
  readonly abandonedEpoch?: number | undefined;
  /** One fresh view for each Sentinel that answered. */
  readonly views: readonly SentinelView[];
  /** What Sentinels that are failing over promote; their views are not in `views`. */
  readonly promoting?: readonly Address[];
  /** How many Sentinels of this master the bridge knows, whether they answer or not. */
  readonly knownSentinels: number;
  /** Set where most Sentinels answer and none of them knows this master: a sentence. */
  readonly unmonitored?: string | undefined;
  /** False where the bridge asked only the Sentinel that announced: enough for a newer epoch, and for nothing else. */
  readonly complete: boolean;
  readonly role: RoleAnswer | undefined;
  /** The new master by the announcement of a Sentinel, after the leader had answered. */
  readonly announced?: Address | undefined;
  /** Answers of other addresses to ROLE. */
  readonly otherRoles?: readonly RoleAnswer[];
  /** Whether the bridge follows a promotion before the Sentinels announce it. */
  readonly follow: FollowMode;
  /** Whether an operator asked for a new generation. */
  readonly rebaseAsked?: 'asked' | 'not-asked';
  /** Set where nothing shows that a bridge wrote the newest record, so that somebody may have edited it. */
  readonly edit?: Suspicion | undefined;
  /** The last record by the service of the master. It counts where the record is gone and nobody remembers it. */
  readonly published?: Published | undefined;
  readonly lagging: Lagging | undefined;
  readonly nowMs: number;
  readonly rebaseAfterMs: number;
}

/**
 * `suspected`: by the watches, which may lag behind one another; `proven`: by reading Consul again; `unproven`: Consul could
 * not be read again.
 */
export type Suspicion = 'suspected' | 'proven' | 'unproven';

export interface Published extends Version {
  readonly master: Address;
}

/** Which event of a failover changes the record: the replica's answer as a master, or `+switch-master`. */
export type FollowMode = 'promotion' | 'announcement';

/** Since when a majority of the Sentinels has agreed on an older epoch than the record's, or on another master at its epoch. */
export interface Lagging {
  readonly master: Address;
  readonly epoch: number;
  readonly sinceMs: number;
}

export type Decision =
  /** The record agrees with the Sentinels. */
  | { readonly kind: 'stands'; readonly record: MasterRecord }
  /** Ask this address for its ROLE and decide again. */
  | { readonly kind: 'ask-role'; readonly address: Address; readonly lagging?: Lagging }
  /** Read from Consul again what speaks for the newest record, and decide again. */
  | { readonly kind: 'ask-consul' }
  /** A new record, to be written by compare-and-set on `held`. */
  | { readonly kind: 'publish'; readonly draft: Draft; readonly cause: Cause }
  /** Ask every Sentinel and decide again. */
  | { readonly kind: 'ask-all' }
  /** Nothing may be written yet. */
  | {
      readonly kind: 'wait';
      readonly why: Wait;
      readonly summary: string;
      readonly lagging?: Lagging;
      readonly retryAfterMs?: number;
    }
  /** Two masters at one epoch: report it, write nothing. `lagging`: a majority agrees on the other master. */
  | { readonly kind: 'conflict'; readonly summary: string; readonly lagging?: Lagging; readonly retryAfterMs?: number };

export type Cause = 'initial' | 'failover' | 'rebase' | 'confirmed' | 'replicas' | 'restored';
export type Wait = 'no-sentinel' | 'no-majority' | 'not-master-yet' | 'older' | 'rebase' | 'unconfirmed';

/** Whether the decision makes another address the master. */
export function isMasterChange(decision: Decision): boolean {
  return decision.kind === 'publish' && (decision.cause === 'failover' || decision.cause === 'rebase');
}

/** A record without its author and time. */
export interface Draft
  extends Pick<MasterRecord, 'generation' | 'epoch' | 'phase' | 'master' | 'replicas' | 'previous' | 'reason'> {
  /** Where the master stays the same: who made it master, and when. */
  readonly kept?: Pick<MasterRecord, 'changedAt' | 'changedBy'>;
}

/** The record as the bridge writes it. A draft of the same master keeps who made it master, and when. */
export function completeRecord(
  draft: Draft,
  signature: { readonly name: string; readonly changedAt: string; readonly changedBy: string },
): MasterRecord {
  const { kept, ...rest } = draft;
  return { version: 1, ...signature, ...kept, ...rest };
}

/** A draft of the same master, which keeps who made it master, and when. */
export function keep(record: MasterRecord): Draft {
  const { generation, epoch, phase, master, replicas, previous, reason, changedAt, changedBy } = record;
  return { generation, epoch, phase, master, replicas, previous, reason, kept: { changedAt, changedBy } };
}

/** A draft of what `best` names, at `version`. */
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

/**
 * The newest record that Consul holds or held, and of two masters at one version the first. The bridge never publishes an
 * older one again.
 */
export function newestKnown({ held, remembered }: Pick<Situation, 'held' | 'remembered'>): MasterRecord | undefined {
  if (held.kind !== 'present' || remembered === undefined) return held.kind === 'present' ? held.record : remembered;
  const order = compareVersions(remembered, held.record);
  const first = order === 0 && !sameAddress(remembered.master, held.record.master);
  return order > 0 || first ? remembered : held.record;
}

/** How an address answered ROLE; undefined where it was not asked. */
export function answerOf(situation: Situation, address: Address): RoleAnswer['role'] | undefined {
  const answers = [situation.role, ...(situation.otherRoles ?? [])];
  return answers.find((answer) => answer !== undefined && sameAddress(answer.address, address))?.role;
}
