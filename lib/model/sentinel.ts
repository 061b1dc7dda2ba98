import type { Address } from './address.ts';

/** What one Sentinel reports about one master (SENTINEL MASTER and SENTINEL REPLICAS, read at the same time). */
export interface SentinelView {
  /** The Sentinel's id (SENTINEL MYID), or its address before version 6.2. */
  readonly sentinelId: string;
  /** The address that was asked. */
  readonly sentinel: Address;
  readonly master: Address;
  /** INFO's run_id of the master, as this Sentinel last read it; undefined before that. */
  readonly masterRunId?: string | undefined;
  readonly configEpoch: number;
  readonly condition: MasterCondition;
  /** False while the Sentinel has no link to the master, as just after a failover. */
  readonly linked: boolean;
  readonly quorum: number;
  /** Its own count of this master's Sentinels, itself included. Sentinel computes the majority from it. */
  readonly knownSentinels: number;
  readonly replicas: readonly ReplicaView[];
  /** Set where its user may not ask for the replicas. */
  readonly hides?: 'replicas';
  /** Set while it is in TILT mode: since when, in milliseconds since 1970. It finds no master down and carries out no failover. */
  readonly tiltSinceMs?: number;
  /** The replica that this Sentinel promotes, while it leads a failover. */
  readonly promoting?: Address;
  /** While it leads a failover: `seen` once it saw the replica as a master. Its config-epoch is then the failover's. */
  readonly promotion?: 'ordered' | 'seen';
  /** Set while it leads a coordinated failover (Valkey 9): the master itself hands over, and pauses its writes by itself. */
  readonly isCoordinated?: true;
  /** While it leads a failover: the election from its messages, if they were received from the beginning. */
  readonly election?: Election;
  /** The time after which Sentinel aborts a failover. */
  readonly failoverTimeoutMs?: number;
  /** The time without an answer after which a master is subjectively down. */
  readonly downAfterMs?: number;
  /** How many replicas follow a new master at the same time. */
  readonly parallelSyncs?: number;
  /** How long the master has been subjectively and objectively down; undefined where it is not. */
  readonly suspectedForMs?: number;
  readonly downForMs?: number;
}

/** Sentinel's own defaults, in milliseconds (sentinel.c). */
export const sentinelDefaults = { downAfterMs: 30_000, failoverTimeoutMs: 180_000 } as const;

/** A failover that a Sentinel was elected for or was ordered to do, and the replica that it selected. */
export interface Election {
  readonly epoch: number;
  readonly selected: Address;
}

/**
 * Whether a Sentinel that was never asked counts for a master: one of the Sentinels that monitor it lists it, or fewer than
 * two monitor it. One Sentinel alone does not suffice: after it was rebuilt it has met no other.
 */
export function countsUnasked(address: string, peersOfOwn: readonly ReadonlySet<string>[]): boolean {
  return peersOfOwn.length < 2 || peersOfOwn.some((peers) => peers.has(address));
}

/** A Sentinel with a say about one master. */
export interface SentinelVoter {
  readonly address: Address;
  /** Whether it monitored the master when it was asked last; `unasked`: it was never reached. */
  readonly state: 'monitors' | 'unasked';
}

/** Sentinel's opinion of a master, from its flags. */
export type MasterCondition = 'up' | 's_down' | 'o_down' | 'failover';

export interface ReplicaView {
  readonly address: Address;
  /**
   * `up`: linked, and replicating from the master; `link-down`: linked, but not replicating; `s_down`; `unlinked`: this
   * Sentinel has no link to it yet; `master`: it reports that it is a master.
   */
  readonly condition: 'up' | 'link-down' | 's_down' | 'unlinked' | 'master';
  /** `replica-priority`: Sentinel promotes the lowest, and never a replica with 0. */
  readonly priority?: number;
  /** How long it has had no link to the master; 0 with a link. */
  readonly masterLinkDownMs?: number;
  /** How long ago it answered a PING of this Sentinel, and how long ago this Sentinel read its INFO. */
  readonly pingAgeMs?: number;
  readonly infoAgeMs?: number;
  /** How much of the master's data it had when this Sentinel last read its INFO. */
  readonly offset?: number;
  /** INFO's run_id, as this Sentinel last read it; undefined before that. */
  readonly runId?: string | undefined;
}

/** A server's answer to ROLE. */
export interface RoleAnswer {
  readonly address: Address;
  readonly role: 'master' | 'replica' | 'other' | 'unreachable';
  /** For `unreachable`: why. */
  readonly error?: string;
}

/** A message of Sentinel's pub/sub. Only its names are used; everything else is read from the Sentinel. */
export interface SentinelEvent {
  /** The channel: `+switch-master`, `+sdown`, ... */
  readonly event: string;
  /** The master of the event; undefined for an event of the Sentinel itself (`+tilt`, `+new-epoch`, ...). */
  readonly master: string | undefined;
  /** For `+switch-master`: the new master by the message. It is read back before it is used. */
  readonly target: Address | undefined;
  /** The unchanged message. */
  readonly message: string;
}

/** What a Sentinel says of a master, in its own words. A leader of a failover may call the master down too. */
export function conditionFlags({ condition, linked, suspectedForMs }: SentinelView): readonly string[] {
  const suspects = condition === 'failover' && suspectedForMs !== undefined;
  return [condition, ...(suspects ? ['s_down'] : []), ...(linked ? [] : ['disconnected'])];
}
