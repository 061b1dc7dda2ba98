import type { Address } from '../model/address.ts';
import type { TemplateSpec } from '../plan/render-spec.ts';
import type { Secret } from './secret.ts';

/** A validated configuration: plain frozen data, files read, secrets wrapped. */
export interface Config {
  readonly environment: string | undefined;
  readonly consul: ConsulConfig;
  /** undefined: this node runs no bridge. */
  readonly sentinel: SentinelConfig | undefined;
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
}

/** What it takes to be let in by a Redis or a Sentinel. */
export interface AccessConfig {
  readonly username?: string;
  readonly password?: Secret;
  readonly tls?: ClientTls;
}

export interface SentinelConfig {
  readonly addresses: readonly Address[];
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
