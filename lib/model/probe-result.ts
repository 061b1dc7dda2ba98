import type { Address } from './address.ts';

/** What one look at an instance found out. */
export type ProbeResult =
  | { readonly kind: 'unreachable'; readonly why: 'refused' | 'silent' }
  /** It answers, but not to us: nothing can be said of its state. */
  | { readonly kind: 'denied' }
  | RedisProbeResult
  | SentinelProbeResult
  | ProxyProbeResult;

export interface RedisProbeResult {
  readonly kind: 'redis';
  /** Another one for every start of the process. */
  readonly runId: string;
  readonly version: string;
  readonly loading: boolean;
  readonly role: 'master' | 'replica' | 'other';
  /** Of a replica: its link to its master. */
  readonly link: LinkProbeResult | undefined;
  /** Full, and set up to refuse writes rather than to evict. */
  readonly memoryFull: boolean;
  readonly saveFailed: boolean;
  readonly appendFailed: boolean;
  readonly cluster: ClusterProbeResult | undefined;
}

export interface LinkProbeResult {
  readonly up: boolean;
  /** Since it last heard of its master; undefined where it never did. */
  readonly silentMs: number | undefined;
  /** Since the link went down; 0 while it is up. */
  readonly downMs: number;
  readonly syncing: boolean;
}

export interface ClusterProbeResult {
  readonly state: 'ok' | 'fail';
  /** Slots that are assigned, of 16,384. */
  readonly slotsAssigned: number;
}

export interface SentinelProbeResult {
  readonly kind: 'sentinel';
  readonly version: string;
  readonly tilt: boolean;
  readonly masters: number;
  /** Masters that a failover would not be authorized for (SENTINEL CKQUORUM), sorted. */
  readonly withoutQuorum: readonly string[];
}

export interface ProxyProbeResult {
  readonly kind: 'proxy';
  readonly version: string;
  /** Pools or backends, and those of them that no server answers in: sorted. */
  readonly broken: readonly string[];
}

/** What an instance says of itself that changes seldom. */
export interface InstanceProfile {
  /** Where it tells others that it is; undefined where it says nothing. */
  readonly announced: Partial<Address> | undefined;
  /** Slot ranges of a cluster node that is a master: `0-5460`, by commas. */
  readonly slots: string | undefined;
}
