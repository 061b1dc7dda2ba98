import type { Address } from '../model/address.ts';
import type { Discovery, InstanceSpec } from '../model/instance.ts';
import type { TemplateSpec } from '../model/template-spec.ts';
import type { Secret } from './secret.ts';

/** A validated configuration: plain frozen data, files read, secrets wrapped. */
export interface Config {
  readonly environment: string | undefined;
  readonly consul: ConsulConfig;
  /** undefined: this node registers nothing, and touches nothing that is registered. */
  readonly register: RegisterConfig | undefined;
  /** undefined: this node runs no bridge. */
  readonly sentinel: SentinelConfig | undefined;
  /** The Redis Clusters whose records this node keeps. */
  readonly cluster: readonly ClusterConfig[];
  readonly templates: readonly TemplateSpec[];
  /** undefined: switched off. */
  readonly api: ApiConfig | undefined;
  readonly log: LogConfig;
  readonly journal: JournalConfig;
}

/** PEM texts. */
export interface ClientTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: Secret;
  readonly serverName?: string;
  readonly verify: boolean;
}

export interface ConsulConfig {
  readonly host: string;
  readonly port: number;
  readonly socketPath?: string;
  readonly tls?: ClientTls;
  readonly token?: Secret;
  readonly datacenter?: string;
  /** Blocking queries with a connection of their own. */
  readonly connections: number;
}

/** What it takes to be let in by a Redis or a Sentinel. */
export interface AccessConfig {
  readonly username?: string;
  readonly password?: Secret;
  readonly tls?: ClientTls;
}

export interface RegisterConfig {
  readonly instances: readonly { readonly spec: InstanceSpec; readonly access: AccessConfig }[];
  readonly discoveries: readonly {
    readonly discovery: Omit<Discovery, 'matches'>;
    /** Globs of master names. */
    readonly masters: readonly string[];
    readonly access: AccessConfig;
  }[];
}

export interface ClusterConfig {
  readonly name: string;
  readonly seeds: readonly Address[];
  /** Its nodes are looked up in Consul by this service as well. */
  readonly service?: string;
  readonly access: AccessConfig;
  /** How often it is looked at while nothing moves. */
  readonly resyncMs: number;
}

export interface SentinelConfig {
  readonly addresses: readonly Address[];
  /** Sentinels are looked up in Consul by this service as well. */
  readonly service?: string;
  /** Whether the Sentinels are kept monitoring what `desired/` says. */
  readonly provision: boolean;
  /** Globs of master names. */
  readonly masters: readonly string[];
  readonly access: AccessConfig;
  /** For the Redis processes that Sentinels monitor. */
  readonly redis: AccessConfig;
  readonly resyncMs: number;
  readonly roleDeadlineMs: number;
  readonly rebaseAfterMs: number;
  readonly follow: 'promotion' | 'announcement';
  readonly fence: 'demote' | 'pause' | 'none';
}

export interface ApiConfig {
  /** Port 0 takes a free one. */
  readonly listen: Address;
  readonly token?: Secret;
  /** PEM texts. */
  readonly tls?: { readonly cert: string; readonly key: Secret; readonly clientCa?: string };
}

export interface LogConfig {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly format: 'auto' | 'json' | 'pretty';
}

export interface JournalConfig {
  /** Absolute; undefined keeps it in memory only. */
  readonly file?: string;
  /** How many entries memory holds at most. */
  readonly entries: number;
}
