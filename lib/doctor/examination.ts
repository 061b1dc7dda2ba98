import type { SentinelConfig } from '../config/model.ts';
import type { Address } from '../model/address.ts';
import type { ServiceInstance } from '../model/catalog.ts';
import type { ConsulScope } from '../model/consul-scope.ts';
import type { ForeignCheck } from '../model/foreign-check.ts';
import type { Limit } from '../model/judgement/limits.ts';
import type { MaintenanceOfMaster } from '../model/maintenance.ts';
import type { OtherEnvironment } from '../model/other-environment.ts';
import type { RecordsReading } from '../model/records.ts';
import type { SentinelView } from '../model/sentinel.ts';

/** Everything that the rules read: the state of all servers that a config names, read once. */
export interface Examination {
  /** When it was read, in milliseconds since 1970. */
  readonly atMs: number;
  readonly sentinels: readonly ExaminedSentinel[];
  readonly masters: readonly ExaminedMaster[];
  readonly consul: ExaminedConsul;
  /** What the bridge does to a second master. Default: `demote`. */
  readonly fence?: SentinelConfig['fence'];
  readonly clocks: readonly ExaminedClock[];
  /** Default: none. */
  readonly isolation?: readonly ExaminedIsolation[];
}

/** A Redis of this node whose writes the daemon may pause. */
export interface ExaminedIsolation {
  /** `host:port`, or the path of its socket. */
  readonly address: string;
  /** The address that the config announces. */
  readonly announced: string | undefined;
  /** Sentinels may know it by another address. */
  readonly runId: string | undefined;
  readonly role: 'master' | 'replica';
  /** How many replicas it lists, and how long ago one of them acknowledged something; undefined where none is online. */
  readonly listed: number;
  readonly ackAgeMs: number | undefined;
  /** Its answer if it refuses CLIENT PAUSE WRITE. */
  readonly refused: string | undefined;
}

export interface ExaminedSentinel {
  readonly address: Address;
  /** `found`: another Sentinel knows it, the config does not. */
  readonly origin: 'configured' | 'found';
  readonly state: Reached;
  /** SENTINEL MYID. */
  readonly id: string | undefined;
  /** Since when it is in TILT mode: ISO 8601, or `unknown`; null if it is not. */
  readonly tiltSince: string | null;
  /** Commands that it refuses to the bridge's user. */
  readonly limits?: readonly Pick<Limit, 'command' | 'says'>[];
}

type Reached = { readonly kind: 'reached' } | Unusable<'unreachable'>;

interface Unusable<Kind extends string> {
  readonly kind: Kind;
  readonly why: string;
  /** What to do about it, where the cause is known. */
  readonly hint?: string;
}

export interface ExaminedMaster {
  readonly name: string;
  readonly opinions: readonly SentinelOpinion[];
  readonly instances: readonly ExaminedRedis[];
}

/** What one Sentinel reports of one master: the view that the bridge has too, and the settings. */
export interface SentinelOpinion extends SentinelView {
  readonly downAfterMs: number;
  readonly failoverTimeoutMs: number;
  /** The other Sentinels, as this one sees them. */
  readonly peers: readonly { readonly address: Address; readonly condition: 'up' | 's_down' }[];
}

/** A Redis that Sentinels name. */
export interface ExaminedRedis {
  readonly address: Address;
  /** According to the Sentinels. */
  readonly expected: 'master' | 'replica';
  /** `denied`: it refuses the login, or ROLE. */
  readonly state: Reached | Unusable<'denied'>;
  /** This and the rest only if it was reached; each is undefined where it may not be read. */
  readonly role?: 'master' | 'replica';
  readonly runId?: string;
  readonly version?: string;
  /** The master that a replica replicates from, by its own report. */
  readonly follows?: Address;
  /** The link of a replica to its master. `syncing`: a full synchronization is running. */
  readonly link?: 'up' | 'down' | 'syncing';
  /** Without a config file, the process loses what CONFIG REWRITE keeps. */
  readonly configFile?: 'none' | 'kept';
  /** The last save or append to disk failed. */
  readonly saveFailed?: boolean;
  readonly settings?: RedisSettings;
  /** Commands that it refuses to the bridge's user. */
  readonly limits?: readonly Pick<Limit, 'command' | 'says'>[];
}

/** CONFIG GET. undefined where the server does not know a setting. */
export interface RedisSettings {
  /** requirepass, hashed: equal hashes are equal passwords. undefined: no password. */
  readonly requirepassHash: string | undefined;
  /** masterauth, hashed likewise. */
  readonly masterauthHash: string | undefined;
  /** `masteruser` is set: requirepass of the master does not matter then. */
  readonly hasMasterUser: boolean;
  readonly priority: number | undefined;
  readonly minReplicasToWrite: number | undefined;
  readonly readOnly: boolean | undefined;
  /** Bytes; 0 is no limit. */
  readonly maxMemory: number | undefined;
  /** False with neither `save` nor `appendonly`: it is empty after a restart. */
  readonly persists: boolean | undefined;
}

export interface ExaminedConsul {
  readonly state: Reached;
  readonly leader: boolean;
  /** Where in Consul Enterprise everything is. */
  readonly scope?: ConsulScope | undefined;
  /** `1.8.7`; undefined where it may not be read. */
  readonly version: string | undefined;
  readonly dns: ConsulDns | undefined;
  /** ACL rules that this config needs and the token lacks; undefined where Consul does not report them. */
  readonly missingRules: readonly string[] | undefined;
  /** Rules that a request without a token lacks and DNS needs; undefined where that is not known. */
  readonly missingForDns?: readonly string[] | undefined;
  /** Instances of the master and replica services that the bridge did not register. */
  readonly foreign?: readonly Pick<ServiceInstance, 'name' | 'id' | 'node' | 'address' | 'port' | 'tags'>[];
  /** What bridges of other environments registered. Default: nothing. */
  readonly otherEnvironments?: readonly OtherEnvironment[];
  /** Critical checks that somebody else attached to the services of bridges, by master. */
  readonly foreignChecks?: ReadonlyMap<string, readonly ForeignCheck[]>;
  /** The masters' records; undefined where they may not be read. */
  readonly records?: RecordsReading | undefined;
  /** The maintenance that is on; undefined where it may not be read. */
  readonly maintenance?: readonly MaintenanceOfMaster[] | undefined;
}

export interface ConsulDns {
  readonly onlyPassing: boolean;
  readonly nodeTtlMs: number;
  /** By service; `*` for all others. */
  readonly serviceTtlMs: Readonly<Record<string, number>>;
}

/** The clock of another machine, compared with this machine's. */
export interface ExaminedClock {
  /** An address, or `consul`. */
  readonly whose: string;
  readonly aheadMs: number;
  /** Half of the round trip, and the resolution of the other clock. */
  readonly uncertaintyMs: number;
}
