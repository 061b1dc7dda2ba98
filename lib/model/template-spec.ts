import type { Address } from './address.ts';
import type { ProbeAccess } from './probe-access.ts';

/** What is wanted of one template: a validated part of the config. Every time is in milliseconds. */
export interface TemplateSpec {
  /** Unique: the key of its reconciliations, and its name in the API. */
  readonly name: string;
  /** Absolute path of the template. */
  readonly source: string;
  /** Absolute path of the file that is kept. */
  readonly destination: string;
  /** Default: what the source's or the destination's name tells. */
  readonly format?: TemplateSpecFormat;
  readonly vars: Readonly<Record<string, unknown>>;
  /** Proves a candidate before it takes the destination's place; `{{file}}` stands for its path. */
  readonly check?: CommandSpec;
  /** Makes the consumer use the new file. */
  readonly reload?: ReloadSpec;
  /** Proves that the consumer works with the new file; where it does not, the last good file returns. */
  readonly verify?: VerifySpec;
  /** How long changes are gathered before they are rendered; a change of master waits for nothing. */
  readonly wait?: WaitSpec;
  readonly guard?: GuardSpec;
  /** How many nodes of the fleet may reload at once; a change of master does not queue. */
  readonly rolling?: RollingSpec;
  /** `seed`: written only where there is no file; from then on it is its consumer's own. Default `kept`. */
  readonly upkeep?: 'kept' | 'seed';
  /** Permission bits; default: kept, 0644 for a new file. */
  readonly mode?: number;
  readonly owner?: string | number;
  readonly group?: string | number;
}

export type TemplateSpecFormat = 'json' | 'yaml' | 'haproxy' | 'conf' | 'env' | 'text';

export interface CommandSpec {
  readonly argv: readonly string[];
  /** Default 30,000. */
  readonly timeoutMs?: number;
}

export type ReloadSpec =
  | { readonly kind: 'command'; readonly command: CommandSpec; readonly drain?: DrainSpec }
  /** To the process whose id is in `pidFile`. */
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals; readonly pidFile: string }
  /** Over the runtime API where only servers' addresses, weights or states changed, else by `fallback`. */
  | { readonly kind: 'haproxy'; readonly socket: HaproxySocket; readonly fallback: CommandSpec }
  /** The daemon starts the program, keeps it running, and stops it with itself. */
  | {
      readonly kind: 'supervise';
      readonly command: CommandSpec;
      readonly change: SuperviseChange;
      /** What tells it to end. Default SIGTERM. */
      readonly stopSignal?: NodeJS.Signals;
      /** Told to end, it may take so long before SIGKILL. Default 10,000. */
      readonly stopTimeoutMs?: number;
    };

/** Servers of an HAProxy in front of the consumer: taken out of its balancing while the consumer restarts. */
export interface DrainSpec {
  readonly socket: HaproxySocket;
  /** `backend/server`, all for the one consumer. */
  readonly servers: readonly string[];
  /** How long sessions may take to end by themselves; what is left then is cut. Default 5,000. */
  readonly timeoutMs?: number;
}

/** A path, or an address for `stats socket ipv4@...`. */
export type HaproxySocket = string | Address;

/** What a supervised program is done to for a new file. */
export type SuperviseChange =
  | { readonly kind: 'restart' }
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals };

export interface VerifySpec {
  /** All must hold at once. */
  readonly probes: readonly ProbeSpec[];
  /** How long they may take to hold. Default 5,000. */
  readonly deadlineMs?: number;
}

export type ProbeSpec =
  /**
   * PING through the proxy is answered. With `master`, the process behind the address must also be the one that the
   * record of that name tells (by its run_id, for which the proxy must pass INFO on, as HAProxy does and twemproxy not).
   */
  | ({ readonly kind: 'redis'; readonly address: Address; readonly master?: string } & ProbeAccess)
  | { readonly kind: 'tcp'; readonly address: Address }
  /** Any status from 200 to 399. */
  | { readonly kind: 'http'; readonly url: string }
  | { readonly kind: 'command'; readonly command: CommandSpec };

export interface WaitSpec {
  /** Rendered when nothing has changed for so long ... */
  readonly minMs: number;
  /** ... or when the first change is so old. */
  readonly maxMs: number;
}

export const defaultWait: WaitSpec = { minMs: 100, maxMs: 2_000 };

export interface GuardSpec {
  /** Fewer servers than this are not written. Default 1 where the template reads records of masters, else 0. */
  readonly minServers?: number;
  /** The share of servers, 0 to 1, that may vanish in one step. Default 1: no limit. */
  readonly maxLoss?: number;
}

export interface RollingSpec {
  readonly limit: number;
  /** Nodes with the same name queue together. Default: the template's name. */
  readonly group?: string;
}
