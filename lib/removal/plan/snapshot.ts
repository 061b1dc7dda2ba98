import type { Address } from '../../model/address.ts';
import type { CatalogOperation, KvEntry, ServiceInstance } from '../../model/catalog.ts';
import type { ClusterRecord } from '../../model/cluster.ts';
import type { ConsulScope } from '../../model/consul-scope.ts';
import { desiredPrefix, keySafe, type Naming } from '../../model/naming.ts';
import type { MasterRecord } from '../../model/record.ts';

/** What was read about one name, before anything is removed. */
export interface RemovalSnapshot {
  readonly naming: Naming;
  readonly name: string;
  readonly subject: 'master' | 'cluster';
  /** Where in Consul Enterprise all of it is. */
  readonly scope?: ConsulScope | undefined;
  /** Every Sentinel that can be found, each process once. */
  readonly sentinels: readonly AskedSentinel[];
  /** Options of redis-cli with which a Sentinel lets an operator in. */
  readonly sentinelOptions: readonly string[];
  /** Every key that belongs to the name. */
  readonly keys: readonly KvEntry[];
  /** The nodes of the catalog that have, or had, the services of the master. */
  readonly nodes: readonly RemovableNode[];
  /** What the agents of nodes have registered under the name. */
  readonly registered: readonly ServiceInstance[];
  /** Where the config of this node names it, as `register[0]`. */
  readonly mentions: readonly string[];
  /** What the token may not read, as sentences. */
  readonly hidden: readonly string[];
  /** The names of all records of this kind, sorted. */
  readonly recorded: readonly string[];
  /** Where `naming` is a former environment: what the environment of the config has. */
  readonly successor?: Successor | undefined;
}

/** A master or a cluster in the environment that takes the place of a former one. */
export interface Successor {
  readonly naming: Naming;
  /** undefined where it has no record that can be read. */
  readonly record: MasterRecord | ClusterRecord | undefined;
  readonly desired: 'present' | 'absent';
}

/** A Sentinel, and whether it monitors the master. */
export type AskedSentinel = {
  readonly address: Address;
} /** Without `master` the Sentinel has no usable address, such as that of a name that it cannot resolve. */ & (
  | { readonly state: 'monitors'; readonly master: Address | undefined }
  | { readonly state: 'unaware' }
  /** It answers, but not that. */
  | { readonly state: 'unreadable'; readonly why: string }
  | { readonly state: 'unreachable'; readonly why: string }
);

/** A node of the catalog. The indexes are Consul's ModifyIndex. */
export interface RemovableNode {
  readonly node: string;
  readonly modifyIndex: number;
  /** Whether the node's meta names this master and this environment. */
  readonly owner: 'ours' | 'other';
  readonly services: readonly { readonly id: string; readonly name: string; readonly modifyIndex: number }[];
}

/** Why nothing is removed, and what to type first. */
export interface Refusal {
  readonly text: string;
  readonly commands: readonly string[];
}

/** Something in Consul that is deleted. */
export interface Removed {
  readonly what: 'record' | 'key' | 'desired' | 'note' | 'lock' | 'crash' | 'node' | 'service';
  readonly id: string;
  /** Its present content; empty where that says nothing. */
  readonly content: string;
}

/** Something that names the master or the cluster and is not deleted. */
export interface Remaining {
  readonly id: string;
  readonly why: string;
}

export interface RemovalPlan {
  readonly refusals: readonly Refusal[];
  readonly removes: readonly Removed[];
  readonly remains: readonly Remaining[];
  /** It is removed from a former environment. */
  readonly isMoved: boolean;
  /** Each is a check-and-set on what was read. */
  readonly steps: readonly CatalogOperation[];
}

/** What the operator permits beyond the usual. */
export interface RemovalPermissions {
  /** Sentinels that do not answer count as gone. */
  readonly unreachableSentinels: 'gone' | 'monitoring';
}

export function desiredKey(naming: Naming, name: string): string {
  return `${desiredPrefix(naming)}${keySafe(name)}`;
}
