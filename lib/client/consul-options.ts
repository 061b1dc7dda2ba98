import type { ConsulScope } from '../model/consul-scope.ts';
import type { ClientTls } from './tls.ts';

/** How to reach the Consul agent. The TLS fields are PEM texts. */
export interface ConsulOptions {
  readonly host: string;
  readonly port: number;
  /** A unix domain socket instead of host and port. */
  readonly socketPath?: string;
  readonly tls?: ClientTls;
  /** A function gives the present token for each request: it may be rotated. */
  readonly token?: string | (() => string | undefined);
  /** `user:password` for HTTP Basic, with every request. */
  readonly auth?: string;
  readonly datacenter?: string;
  /** A namespace and a partition of Consul Enterprise. */
  readonly scope?: ConsulScope;
  /** Called when Consul answered a transaction, with success or not. */
  readonly onTransaction?: () => void;
}

/** `failover`: does not wait until other requests have ended. Default `normal`: at most 64 are under way at a time. */
export type Priority = 'failover' | 'normal';

export interface Limits {
  /** Default 10,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly priority?: Priority;
}

export interface ReadOptions {
  /** Blocks until the index passes this one; 0 or undefined answers at once. */
  readonly index?: bigint;
  /** How long Consul may block, at most 600,000. Default 300,000. */
  readonly waitMs?: number;
  /** `stale`: any server may answer; `consistent`: the leader confirms its leadership first. Default `default`. */
  readonly consistency?: 'default' | 'stale' | 'consistent';
  readonly signal?: AbortSignal;
  /** For reads that do not block. Default 10,000. */
  readonly timeoutMs?: number;
  /** For reads that do not block. */
  readonly priority?: Priority;
  /** An answer about a folder of keys, or about the list of services, with this text has this value, and is not read again. */
  readonly known?: KnownText;
}

/** A text and the value that was read from it. */
export interface KnownText {
  readonly digest: string;
  readonly value: unknown;
}

export interface Indexed<T> {
  readonly value: T;
  /** Of the text of the answer, where it is about a folder of keys or about the list of services. */
  readonly digest?: string;
  /** X-Consul-Index: the index for the next blocking query. */
  readonly index: bigint;
  /** False where the answering server knew no leader: the answer may be old. Always true for a streamed answer. */
  readonly knownLeader: boolean;
  /** Milliseconds since the answering server last heard of the leader; 0 from the leader itself, and where streamed. */
  readonly lastContactMs: number;
  /** True where the agent answers from the view that servers stream to it (the default since Consul 1.10). */
  readonly streamed?: boolean;
  /** The agent's clock, in whole seconds; NaN if the answer has no date. */
  readonly servedAtMs?: number;
}

/** `path` below /v1, with `{name}` for each of `params`. */
export interface AgentCall {
  readonly method: 'get' | 'put' | 'post';
  readonly path: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** The body is a list whose entries have the namespace and the partition. */
  readonly scopedBy?: 'entries';
  /** For messages. */
  readonly what: string;
}
