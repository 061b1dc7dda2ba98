import { type Address, formatAddress } from './address.ts';
import type { CheckStatus } from './catalog.ts';

/** What a node can have of its own. */
export type InstanceKind = 'redis' | 'sentinel' | 'cluster' | 'twemproxy' | 'haproxy';

/** The service that each kind is registered as. */
export const serviceOf: Readonly<Record<InstanceKind, string>> = {
  redis: 'redis',
  sentinel: 'redis-sentinel',
  cluster: 'redis-cluster',
  twemproxy: 'redis-proxy',
  haproxy: 'redis-proxy',
};

/** Meta key of every service that a registrar registered; its value names the registrar (the environment). */
export const registrarMeta = 'switchmaster';

/** One process of this node that is to be registered. Durations are milliseconds. */
export interface InstanceSpec {
  /** The service's id at the agent: the same for the same process, whatever becomes of it. */
  readonly id: string;
  readonly kind: InstanceKind;
  /** Sentinel's master name or the cluster's name; undefined where the records tell. */
  readonly name?: string;
  /** Where this node reaches it: what is checked. */
  readonly address: Address;
  /** Where others reach it, where that is not what the process says of itself. */
  readonly announce?: Address;
  readonly tags: readonly string[];
  readonly meta: Readonly<Record<string, string>>;
  readonly checks: CheckSettings;
  /** twemproxy: `host:port` of its stats; HAProxy: `host:port` or the path of its stats socket. */
  readonly stats?: Address | string;
  /** Found by the records rather than listed. */
  readonly origin: 'configured' | 'discovered';
  readonly deregisterOnStop: boolean;
}

/** A wish to register every Redis of this node that the records list. */
export interface Discovery {
  /** What each of them is registered with, but for id, name and address. */
  readonly pattern: Omit<InstanceSpec, 'id' | 'name' | 'address' | 'origin'>;
  /** Addresses of this node, beside those of its interfaces. */
  readonly hosts: readonly string[];
  readonly matches: (master: string) => boolean;
}

/** The id of an instance: its kind and where this node reaches it, for both outlive every failover. */
export function instanceId(kind: InstanceSpec['kind'], address: Address): string {
  return `${kind}-${formatAddress(address)}`;
}

export interface CheckSettings {
  /** How often the daemon looks. */
  readonly intervalMs: number;
  /** How long the process may take to answer. */
  readonly timeoutMs: number;
  /** How often Consul itself connects. */
  readonly consulIntervalMs: number;
  readonly consulTimeoutMs: number;
  /** Consul asks this URL instead of connecting to the address. */
  readonly httpUrl?: string;
  /** How many looks in a row must be worse, or better, before the check says so. */
  readonly fall: number;
  readonly rise: number;
  /** A replica that has heard nothing from its master for longer lags. */
  readonly maxLagMs: number;
  /** A replica whose link is down for longer is critical. */
  readonly maxLinkDownMs: number;
  readonly deregisterCriticalServiceAfterMs?: number;
}

/** What the local agent must hold for one instance. */
export interface Registration {
  readonly id: string;
  readonly service: string;
  /** '' stands for the node's address. */
  readonly address: string;
  readonly port: number;
  readonly tags: readonly string[];
  readonly meta: Readonly<Record<string, string>>;
  readonly checks: readonly CheckDefinition[];
}

export type CheckDefinition = {
  readonly id: string;
  readonly name: string;
  /** What it begins with. */
  readonly status: CheckStatus;
  readonly output: string;
} & (
  | { readonly kind: 'tcp'; readonly target: string; readonly intervalMs: number; readonly timeoutMs: number }
  | { readonly kind: 'http'; readonly target: string; readonly intervalMs: number; readonly timeoutMs: number }
  /** Says what was last reported, for as long as nobody reports anything else. */
  | { readonly kind: 'report' }
) & { readonly deregisterAfterMs?: number };

/** What the local agent holds of one service. */
export interface HeldService extends Omit<Registration, 'checks'> {
  readonly checks: readonly HeldCheck[];
}

export interface HeldCheck {
  readonly id: string;
  readonly status: CheckStatus;
  readonly output: string;
}
