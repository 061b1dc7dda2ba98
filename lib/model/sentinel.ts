import type { Address } from './address.ts';

/** What one Sentinel says about one master (SENTINEL MASTER and SENTINEL REPLICAS, read back at one moment). */
export interface SentinelView {
  /** Sentinel's own id (SENTINEL MYID), or its address where it is older than 6.2. */
  readonly sentinelId: string;
  /** Where this Sentinel was asked. */
  readonly sentinel: Address;
  readonly master: Address;
  readonly configEpoch: number;
  readonly condition: MasterCondition;
  /** False while Sentinel itself has no link to the master: normal for a moment after a failover. */
  readonly linked: boolean;
  readonly quorum: number;
  /** Sentinels of this master, this one included, by its own count: what Sentinel takes its majority of. */
  readonly knownSentinels: number;
  readonly replicas: readonly ReplicaView[];
  /** While it leads a failover: the replica that it promotes. */
  readonly promoting?: Address;
  /** While it leads one: `seen` from the moment it has seen the replica as a master; its config-epoch is the failover's then. */
  readonly promotion?: 'ordered' | 'seen';
  /** While it leads a failover: what it told of it, where its messages were heard from the beginning. */
  readonly election?: Election;
  /** After which Sentinel gives a failover up. */
  readonly failoverTimeoutMs?: number;
}

/** A failover that a Sentinel was elected for (or was ordered to do), and the replica that it selected. */
export interface Election {
  readonly epoch: number;
  readonly selected: Address;
}

/** Sentinel's opinion of a master, from its flags. */
export type MasterCondition = 'up' | 's_down' | 'o_down' | 'failover';

export interface ReplicaView {
  readonly address: Address;
  /**
   * `up`: linked, and replicating from the master; `link-down`: linked, but not replicating; `s_down`; `unlinked`: this
   * Sentinel has no link to it yet; `master`: it says that it is a master itself.
   */
  readonly condition: 'up' | 'link-down' | 's_down' | 'unlinked' | 'master';
  /** `replica-priority`: Sentinel promotes the lowest, and never 0. */
  readonly priority?: number;
}

/** How the address that Sentinels decided on answered ROLE. */
export interface RoleAnswer {
  readonly address: Address;
  readonly role: 'master' | 'replica' | 'other' | 'unreachable';
  /** For `unreachable`: why. */
  readonly error?: string;
}

/** A message of Sentinel's pub/sub, of which only the names matter: everything else is read back. */
export interface SentinelEvent {
  /** The channel: `+switch-master`, `+sdown`, ... */
  readonly event: string;
  /** The master it is about; undefined where it is about the Sentinel itself (`+tilt`, `+new-epoch`, ...). */
  readonly master: string | undefined;
  /** For `+switch-master`: where to look first. Never believed. */
  readonly lookAt: Address | undefined;
  /** As it came. */
  readonly message: string;
}
