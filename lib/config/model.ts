import type { Address } from '../model/address.ts';
import type { ConsulScope } from '../model/consul-scope.ts';
import type { Discovery, InstanceSpec } from '../model/instance.ts';
import type { Publish } from '../model/publish.ts';
import type { TemplateSpec } from '../model/template-spec.ts';
import type { Problem } from './problem.ts';
import type { Secret } from './secret.ts';

/** A validated configuration: plain frozen data. Its files are read and its secrets are wrapped. */
export interface Config {
  readonly environment: string | undefined;
  /** Absolute. Where the daemon writes its process id; undefined: nowhere. */
  readonly pidFile?: string;
  readonly consul: ConsulConfig;
  /** undefined: this node registers nothing and leaves everything registered as it is. */
  readonly register: RegisterConfig | undefined;
  /** undefined: this node runs no bridge. */
  readonly sentinel: SentinelConfig | undefined;
  /** The Redis Clusters whose records this node writes. */
  readonly cluster: readonly ClusterConfig[];
  /** Where clients reach the servers of some masters. Empty: at the addresses in the records. */
  readonly publish: Publish;
  /** undefined: this node does not answer in Sentinel's place. */
  readonly sentinelEndpoint: EndpointConfig | undefined;
  readonly templates: readonly TemplateSpec[];
  /** undefined: the API is off. */
  readonly api: ApiConfig | undefined;
  readonly log: LogConfig;
  readonly journal: JournalConfig;
  /** About files and variables that were read. findWarnings has these and others. */
  readonly warnings: readonly Problem[];
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
  /** `user:password` of a proxy before Consul (HTTP Basic). */
  readonly auth?: Secret;
  readonly datacenter?: string;
  /** A namespace and a partition of Consul Enterprise. */
  readonly scope?: ConsulScope;
  /** How many blocking queries have a connection of their own. */
  readonly connections: number;
  /** How long a server without contact to the leader may answer what any server may answer. 0: the leader answers all. */
  readonly maxStaleMs: number;
}

/** Credentials and TLS for a Redis or a Sentinel. */
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
  /** The service in Consul whose instances are further nodes of the cluster. */
  readonly service?: string;
  readonly access: AccessConfig;
  /** How often the cluster is read while nothing changes. */
  readonly resyncMs: number;
  readonly onCrash: 'failover' | 'wait';
  /** How long the host of a master must refuse connections. */
  readonly crashAfterMs: number;
}

export interface SentinelConfig {
  readonly addresses: readonly Address[];
  /** The service in Consul whose instances are further Sentinels. */
  readonly service?: string;
  /** Whether the provisioner makes the Sentinels monitor what `desired/` lists. */
  readonly provision: boolean;
  /** Globs of master names. */
  readonly masters: readonly string[];
  readonly access: AccessConfig;
  /** For the Redis processes that the Sentinels monitor. */
  readonly redis: AccessConfig;
  readonly resyncMs: number;
  readonly roleDeadlineMs: number;
  readonly rebaseAfterMs: number;
  readonly follow: 'promotion' | 'announcement';
  readonly fence: 'demote' | 'pause' | 'none';
  readonly onCrash: 'failover' | 'wait';
  /** How long the host of a master must refuse connections. */
  readonly crashAfterMs: number;
}

export interface ApiConfig {
  /** Port 0 takes a free one. */
  readonly listen: Address;
  /** Names by which clients may call the API, in lower case. */
  readonly allowedHosts: readonly string[];
  readonly token?: Secret;
  readonly tls?: ServerTls;
}

/** PEM texts. With `clientCa`, clients need a certificate that it issued. */
export interface ServerTls {
  readonly cert: string;
  readonly key: Secret;
  readonly clientCa?: string;
}

interface NamedSecret {
  readonly username: string;
  readonly password: Secret;
}

export interface EndpointConfig {
  /** Port 0 takes a free one. */
  readonly listen: Address;
  /** Where clients of other nodes reach it. */
  readonly announce?: Address;
  /** Who may read; undefined: everybody. */
  readonly reader?: NamedSecret;
  /** Who may order failovers; undefined: nobody. */
  readonly operator?: NamedSecret;
  readonly tls?: ServerTls;
  readonly maxConnections: number;
  readonly idleMs: number;
}

interface LogConfig {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly format: 'auto' | 'json' | 'pretty';
}

export interface JournalConfig {
  /** Absolute; undefined keeps it in memory only. */
  readonly file?: string;
  /** The most entries in memory. */
  readonly entries: number;
}
