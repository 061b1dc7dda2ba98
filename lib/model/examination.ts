import type { Address } from './address.ts';
import type { ServiceInstance } from './catalog.ts';
import type { Severity } from './severity.ts';

/* What a doctor looks at: everything that a config names, read once. Durations are milliseconds. */

export interface Examination {
  /** Names that collide or are not fit for DNS matter only where there is a Consul to tell them. */
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

/** What one Sentinel says of one master. */
export interface SentinelOpinion {
  readonly sentinel: Address;
  readonly master: Address;
  readonly quorum: number;
  /** Sentinels of this master by its own count, itself included. */
  readonly knownSentinels: number;
  readonly downAfterMs: number;
  readonly failoverTimeoutMs: number;
  /** Of the master: `s_down` where this Sentinel gets no answer from it. */
  readonly flags: readonly string[];
  readonly replicas: readonly (Seen & { readonly runId: string })[];
  /** The other Sentinels, as this one sees them. */
  readonly peers: readonly Seen[];
}

/** One that a Sentinel knows, with its flags there. */
export interface Seen {
  readonly address: Address;
  readonly flags: readonly string[];
}

/** One Redis that Sentinels name. */
export interface ExaminedRedis {
  readonly address: Address;
  /** By the Sentinels. */
  readonly expected: 'master' | 'replica';
  readonly state: Reached;
  /** Only of one that was reached; each part is undefined where it may not be read. */
  readonly role?: 'master' | 'replica';
  readonly runId?: string;
  readonly version?: string;
  /** Of a replica: where it replicates from, as it was told. */
  readonly follows?: Address;
  /** Of a replica: to its master. `syncing` is taking all data over. */
  readonly link?: 'up' | 'down' | 'syncing';
  /** Without one, what CONFIG REWRITE keeps is gone with the process. */
  readonly configFile?: 'none' | 'kept';
  /** The last save to disk, or append, failed. */
  readonly saveFailed?: boolean;
  readonly settings?: RedisSettings;
}

/** CONFIG GET; undefined where a setting is not known there. Secrets are told apart by marks, never kept. */
export interface RedisSettings {
  /** Equal marks are equal passwords; undefined is none. */
  readonly requires: string | undefined;
  readonly brings: string | undefined;
  /** `masteruser`: then what it brings is no matter of requirepass. */
  readonly bringsUser: boolean;
  readonly priority: number | undefined;
  readonly minReplicasToWrite: number | undefined;
  readonly readOnly: boolean | undefined;
  readonly maxMemory: number | undefined;
  /** Neither `save` nor `appendonly`: a restart brings it back empty. */
  readonly persists: boolean | undefined;
}

export interface ExaminedConsul {
  readonly state: Reached;
  readonly leader: boolean;
  /** `1.8.7`; undefined where it may not be read. */
  readonly version: string | undefined;
  readonly dns: ConsulDns | undefined;
  /** Rights that this config needs and that the token has not; undefined where Consul does not tell. */
  readonly missingRules: readonly string[] | undefined;
  /** Instances of our services on nodes that are none of ours, with the tags that they carry. */
  readonly foreign?: readonly Pick<ServiceInstance, 'name' | 'id' | 'node' | 'address' | 'port' | 'tags'>[];
}

export interface ConsulDns {
  readonly onlyPassing: boolean;
  readonly nodeTtlMs: number;
  /** By service; `*` for all others. */
  readonly serviceTtlMs: Readonly<Record<string, number>>;
}

/** How far another's clock is ahead of this machine's, and how exactly that is known. */
export interface ExaminedClock {
  readonly whose: string;
  readonly aheadMs: number;
  readonly uncertaintyMs: number;
}

/** A problem that the doctor found, and its fix. */
export interface Finding {
  /** The rule: stable, for machines. */
  readonly rule: string;
  /** `critical`: something does not work or will not survive a failover; `warning`: it may fail later. */
  readonly severity: Extract<Severity, 'warning' | 'critical'>;
  /** A master's name, an address, `consul`. */
  readonly subject: string;
  readonly says: string;
  readonly wayOut: string;
}
