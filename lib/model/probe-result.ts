import type { Address } from './address.ts';
import type { InstanceKind, instanceKinds } from './instance-kinds.ts';
import type { LinkFault } from './link-fault.ts';

/** What one probe of an instance found. */
export type ProbeResult = Unanswered | ProbeAnswer;

export type Unanswered =
  | { readonly kind: 'unreachable'; readonly why: 'refused' | 'timeout'; readonly fault?: LinkFault }
  /** It refuses the credentials, so that its state is unknown. */
  | { readonly kind: 'denied' };

export type ProbeAnswer = RedisProbeResult | SentinelProbeResult | ProxyProbeResult;

/** What a successful probe of an instance of one kind finds. */
export type AnswerOf<Kind extends InstanceKind> = Extract<
  ProbeAnswer,
  { readonly kind: (typeof instanceKinds)[Kind]['answer'] }
>;

export interface RedisProbeResult {
  readonly kind: 'redis';
  /** INFO's run_id: each start of the process has another one. */
  readonly runId: string;
  readonly version: string;
  readonly loading: boolean;
  readonly role: 'master' | 'replica' | 'other';
  /** The link of a replica to its master. */
  readonly link: LinkProbeResult | undefined;
  /** Its memory is full, and its policy refuses writes rather than evicting keys. */
  readonly memoryFull: boolean;
  readonly saveFailed: boolean;
  readonly appendFailed: boolean;
  readonly cluster: ClusterProbeResult | undefined;
}

export interface LinkProbeResult {
  readonly up: boolean;
  /** How long ago it last received something from its master; undefined where it never did. */
  readonly silentMs: number | undefined;
  /** How long ago the link went down; 0 while it is up. */
  readonly downMs: number;
  readonly syncing: boolean;
}

export interface ClusterProbeResult {
  readonly state: 'ok' | 'fail';
  /** Of 16,384. */
  readonly slotsAssigned: number;
}

export interface SentinelProbeResult {
  readonly kind: 'sentinel';
  /** As of a Redis. */
  readonly runId: string;
  readonly version: string;
  readonly tilt: boolean;
  readonly masters: number;
  /** Masters for which the Sentinels could not authorize a failover (SENTINEL CKQUORUM), sorted. */
  readonly withoutQuorum: readonly string[];
}

export interface ProxyProbeResult {
  readonly kind: 'proxy';
  readonly version: string;
  /** twemproxy's servers (`pool/server`) or HAProxy's backends that do not answer, sorted. */
  readonly broken: readonly string[];
  /** Set where its statistics are not served at the place that the config names. */
  readonly stats?: 'unreadable';
}

/** What an instance reports about itself that rarely changes. */
export interface InstanceProfile {
  /** The address that it announces to others; undefined where it announces none. */
  readonly announced: Partial<Address> | undefined;
  /** Every other address under which a cluster's nodes list it, by its node id (CLUSTER MYID). */
  readonly names?: readonly Address[];
  /** The TCP port of a Redis that is probed over a socket: records list it there. Absent where it has none. */
  readonly port?: number;
  /** Slot ranges of a cluster node that is a master, separated by commas: `0-5460,10923-10930`. */
  readonly slots: string | undefined;
}
