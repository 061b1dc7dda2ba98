import { type Address, type Endpoint, formatAddress } from './address.ts';
import type { CheckStatus } from './catalog.ts';
import type { InstanceKind } from './instance-kinds.ts';

/** Meta key of every service that a registrar registered; its value names the registrar (the environment). */
export const registrarMeta = 'switchmaster';

/** One process of this node that the registrar registers. Durations are milliseconds. */
export interface InstanceSpec {
  /** The service's id at the agent. A failover does not change it. */
  readonly id: string;
  readonly kind: InstanceKind;
  /** Sentinel's master name or the cluster's name; undefined where the registrar takes it from the records. */
  readonly name?: string;
  /** Where this node connects to it for its checks. */
  readonly address: Endpoint;
  /** Where other machines reach it; default: what the process announces. */
  readonly announce?: Address;
  readonly tags: readonly string[];
  readonly meta: Readonly<Record<string, string>>;
  readonly checks: CheckSettings;
  /** twemproxy: `host:port` of its stats; HAProxy: `host:port` or the path of its stats socket. */
  readonly stats?: Endpoint;
  /** `configured`: the config lists it; `discovered`: a record does. */
  readonly origin: 'configured' | 'discovered';
  readonly deregisterOnStop: boolean;
  readonly isolation: Isolation;
}

/** What the daemon does while a Redis is a master that hears nobody: `pause` delays its writes. */
export const isolations = ['pause', 'ignore'] as const;
export type Isolation = (typeof isolations)[number];

/** Settings to register every Redis of this node that the records list. */
export interface Discovery {
  /** The settings of each of them, without id, name and address. */
  readonly pattern: Omit<InstanceSpec, 'id' | 'name' | 'address' | 'origin'>;
  /** Addresses of this node in addition to those of its interfaces. */
  readonly hosts: readonly string[];
  readonly matches: (master: string) => boolean;
}

/**
 * The id of an instance: its kind and its address, because a failover changes neither. Consul has ids in the paths of URLs,
 * so that a socket's path has colons in place of its slashes: `twemproxy-unix:run:nutcracker:redis.sock`.
 */
export function instanceId(kind: InstanceKind, address: Endpoint): string {
  if (typeof address !== 'string') return `${kind}-${formatAddress(address)}`;
  return `${kind}-unix${address.split('/').map(encodeURIComponent).join(':')}`;
}

export interface CheckSettings {
  /** How often the daemon probes it. */
  readonly intervalMs: number;
  /** How long the process may take to answer a probe. */
  readonly timeoutMs: number;
  /** How often Consul's agent connects to it. */
  readonly consulIntervalMs: number;
  readonly consulTimeoutMs: number;
  /** Consul's agent requests this URL instead of connecting to the address. */
  readonly httpUrl?: string;
  /** How many consecutive probes must be worse (`fall`) or better (`rise`) before the check changes. */
  readonly fall: number;
  readonly rise: number;
  /** A replica that received nothing from its master for longer counts as lagging. */
  readonly maxLagMs: number;
  /** A replica whose link is down for longer is critical. */
  readonly maxLinkDownMs: number;
  readonly deregisterCriticalServiceAfterMs?: number;
}

/** What the local agent must hold for one instance. */
export interface Registration {
  readonly id: string;
  readonly service: string;
  /** '' means the node's address. */
  readonly address: string;
  readonly port: number;
  readonly tags: readonly string[];
  readonly meta: Readonly<Record<string, string>>;
  readonly checks: readonly CheckDefinition[];
  /** What somebody else set for the service; undefined for Consul's defaults. */
  readonly settings: ServiceSettings | undefined;
}

/** Settings of a service that the registrar never sets itself, but keeps when it registers the service again. */
export interface ServiceSettings {
  /** `catalog`: tags that somebody adds in the catalog stay (Consul's EnableTagOverride). */
  readonly tagsFrom: 'agent' | 'catalog';
  readonly weights?: { readonly passing: number; readonly warning: number } | undefined;
  /** Without those that the agent derives from the service's address. */
  readonly taggedAddresses: Readonly<Record<string, { readonly address: string; readonly port: number }>>;
  /** Consul's `Connect`, unread. */
  readonly connect?: unknown;
}

export type CheckDefinition = {
  readonly id: string;
  readonly name: string;
  /** The state that Consul gives it at its registration. */
  readonly status: CheckStatus;
  readonly output: string;
} & (
  | { readonly kind: 'tcp'; readonly target: string; readonly intervalMs: number; readonly timeoutMs: number }
  | { readonly kind: 'http'; readonly target: string; readonly intervalMs: number; readonly timeoutMs: number }
  /** Keeps the last reported state until the next report. */
  | { readonly kind: 'report' }
) & { readonly deregisterAfterMs?: number };

/** What the local agent holds of one service. */
export interface HeldService extends Omit<Registration, 'checks' | 'settings'> {
  readonly settings: ServiceSettings;
  readonly checks: readonly HeldCheck[];
  /** Where it is, in the answer of Consul Enterprise. */
  readonly scope?: { readonly namespace: string | undefined; readonly partition: string | undefined };
}

export interface HeldCheck {
  readonly id: string;
  readonly status: CheckStatus;
  readonly output: string;
}
