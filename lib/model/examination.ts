import type { Address } from './address.ts';
import type { ServiceInstance } from './catalog.ts';
import type { Severity } from './severity.ts';

/* What the doctor examines: every server that a config names, read once. Durations are milliseconds. */

export interface Examination {
  readonly sentinels: readonly ExaminedSentinel[];
  readonly masters: readonly ExaminedMaster[];
  readonly consul: ExaminedConsul;
  readonly clocks: readonly ExaminedClock[];
}

export interface ExaminedSentinel {
  readonly address: Address;
  readonly origin: 'configured' | 'found';
  readonly state: Reached;
  /** SENTINEL MYID. */
  readonly id: string | undefined;
  readonly tilt: boolean;
}

export type Reached = { readonly kind: 'reached' } | { readonly kind: 'unreachable'; readonly why: string };

export interface ExaminedMaster {
  readonly name: string;
  readonly opinions: readonly SentinelOpinion[];
  readonly instances: readonly ExaminedRedis[];
}

/** What one Sentinel reports about one master. */
export interface SentinelOpinion {
  readonly sentinel: Address;
  readonly master: Address;
  readonly quorum: number;
  /** Its own count of this master's Sentinels, itself included. */
  readonly knownSentinels: number;
  readonly downAfterMs: number;
  readonly failoverTimeoutMs: number;
  /** Flags of the master: `s_down` if this Sentinel gets no answer from it. */
  readonly flags: readonly string[];
  readonly replicas: readonly (Seen & { readonly runId: string })[];
  /** The other Sentinels that this one knows. */
  readonly peers: readonly Seen[];
}

/** A process that a Sentinel knows, with its flags. */
export interface Seen {
  readonly address: Address;
  readonly flags: readonly string[];
}

/** A Redis that a Sentinel knows. */
export interface ExaminedRedis {
  readonly address: Address;
  /** The role by the Sentinels. */
  readonly expected: 'master' | 'replica';
  readonly state: Reached;
  /** This and the following only if it was reached; undefined if reading them is not permitted. */
  readonly role?: 'master' | 'replica';
  readonly runId?: string;
  readonly version?: string;
  /** Of a replica: the configured address of its master. */
  readonly follows?: Address;
  /** Of a replica: the link to its master. `syncing`: a full synchronization runs. */
  readonly link?: 'up' | 'down' | 'syncing';
  /** Without a file, a restart loses what CONFIG SET changed. */
  readonly configFile?: 'none' | 'kept';
  /** The last snapshot or append to disk failed. */
  readonly saveFailed?: boolean;
  readonly settings?: RedisSettings;
}

/** From CONFIG GET; undefined if the server does not have the setting. Secrets are replaced by marks. */
export interface RedisSettings {
  /** The mark of `requirepass`. Equal marks are equal passwords; undefined is no password. */
  readonly requires: string | undefined;
  readonly brings: string | undefined;
  /** `masteruser` is set, so that `masterauth` need not match `requirepass`. */
  readonly bringsUser: boolean;
  readonly priority: number | undefined;
  readonly minReplicasToWrite: number | undefined;
  readonly readOnly: boolean | undefined;
  readonly maxMemory: number | undefined;
  /** False if neither `save` nor `appendonly` is set: it is empty after a restart. */
  readonly persists: boolean | undefined;
}

export interface ExaminedConsul {
  readonly state: Reached;
  readonly leader: boolean;
  /** `1.8.7`; undefined if reading it is not permitted. */
  readonly version: string | undefined;
  readonly dns: ConsulDns | undefined;
  /** ACL rules that this config needs and the token lacks; undefined if Consul does not report them. */
  readonly missingRules: readonly string[] | undefined;
  /** Instances of our services on nodes that are not ours, with their tags. */
  readonly foreign?: readonly Pick<ServiceInstance, 'name' | 'id' | 'node' | 'address' | 'port' | 'tags'>[];
}

export interface ConsulDns {
  readonly onlyPassing: boolean;
  readonly nodeTtlMs: number;
  /** The TTL by service; `*` for all others. */
  readonly serviceTtlMs: Readonly<Record<string, number>>;
}

/** How far another machine's clock is ahead of this one's, with the uncertainty. */
export interface ExaminedClock {
  readonly whose: string;
  readonly aheadMs: number;
  readonly uncertaintyMs: number;
}

/** A problem that the doctor found, and its fix. */
export interface Finding {
  /** The rule's stable name, for programs. */
  readonly rule: string;
  /** `critical`: something does not work or will not survive a failover; `warning`: it may fail later. */
  readonly severity: Extract<Severity, 'warning' | 'critical'>;
  /** A master's name, an address, `consul`. */
  readonly subject: string;
  readonly says: string;
  readonly wayOut: string;
}
