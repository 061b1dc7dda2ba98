/** The states of a Consul health check, from best to worst. */
export const checkStatuses = ['passing', 'warning', 'critical'] as const;

export type CheckStatus = (typeof checkStatuses)[number];

/** A service instance as a bridge writes it onto an external catalog node. */
export interface CatalogService {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly tags: readonly string[];
  readonly meta: Readonly<Record<string, string>>;
  /** Consul's weights in SRV answers; default 1. */
  readonly weights?: ServiceWeights;
  /** Whether agents let others change the tags. */
  readonly enableTagOverride?: boolean;
}

// A declaration file contains the whole type, so it would have to export an interface.
type ServiceWeights = {
  readonly passing: number;
  readonly warning: number;
};

/** A health check of a service on an external catalog node. */
export interface CatalogCheck {
  readonly id: string;
  readonly serviceId: string;
  /** The ACL rule that Consul requires is for this service. */
  readonly serviceName: string;
  readonly name: string;
  readonly status: CheckStatus;
  readonly output: string;
  /** Of the check of a master: the code of what it reports. */
  readonly notes?: string;
}

/**
 * One step of a Consul transaction. `index` is a ModifyIndex; 0 means that the key must not exist.
 * Order matters to Consul: a node before its services, a service before its checks.
 */
export type CatalogOperation =
  | { readonly kind: 'kv-set'; readonly key: string; readonly value: string }
  | { readonly kind: 'kv-cas'; readonly key: string; readonly value: string; readonly index: number }
  /** The key ends with the session. */
  | { readonly kind: 'kv-lock'; readonly key: string; readonly value: string; readonly session: string }
  | { readonly kind: 'kv-check-index'; readonly key: string; readonly index: number }
  | { readonly kind: 'kv-delete'; readonly key: string }
  | { readonly kind: 'kv-delete-cas'; readonly key: string; readonly index: number }
  | {
      readonly kind: 'node-set';
      readonly node: string;
      readonly address: string;
      readonly meta: Readonly<Record<string, string>>;
      readonly taggedAddresses: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'node-delete'; readonly node: string }
  | { readonly kind: 'node-delete-cas'; readonly node: string; readonly index: number }
  | { readonly kind: 'service-set'; readonly node: string; readonly service: CatalogService }
  | { readonly kind: 'service-delete'; readonly node: string; readonly serviceId: string; readonly name: string }
  | {
      readonly kind: 'service-delete-cas';
      readonly node: string;
      readonly serviceId: string;
      readonly name: string;
      readonly index: number;
    }
  | { readonly kind: 'check-set'; readonly node: string; readonly check: CatalogCheck }
  | { readonly kind: 'check-delete'; readonly node: string; readonly checkId: string };

/** A transaction that changes the record, and the steps that did not fit, which depend on the record it wrote. */
export interface CatalogChange {
  readonly first: readonly CatalogOperation[];
  readonly rest: readonly CatalogOperation[];
}

/** A key in Consul. `modifyIndex` is above 0. */
export interface KvEntry {
  readonly key: string;
  readonly value: string;
  /** The bytes in base64, where they are not UTF-8. `value` then has U+FFFD in place of what is not text. */
  readonly base64?: string;
  readonly modifyIndex: number;
  /** The session with which the key ends, where it has one. */
  readonly session?: string;
}

/** One instance of a service, with its node and the checks of both. */
export interface ServiceInstance {
  readonly node: string;
  readonly nodeAddress: string;
  readonly nodeMeta: Readonly<Record<string, string>>;
  readonly datacenter: string;
  readonly id: string;
  readonly name: string;
  /** The service's own address, or the node's if it has none. */
  readonly address: string;
  readonly port: number;
  readonly tags: readonly string[];
  readonly meta: Readonly<Record<string, string>>;
  readonly checks: readonly InstanceCheck[];
  /** Where somebody has set them. */
  readonly weights?: ServiceWeights;
  readonly enableTagOverride?: boolean;
  /** Further addresses by their names, such as `wan`. */
  readonly taggedAddresses?: Readonly<Record<string, { readonly address: string; readonly port: number }>>;
  /** Empty for an external node. */
  readonly nodeId?: string;
  readonly nodeTaggedAddresses?: Readonly<Record<string, string>>;
}

/** Everything that Consul has for one master except its record. */
export interface CatalogContents {
  /** The plain keys that exist, by key. */
  readonly keys: ReadonlyMap<string, KvEntry>;
  /** The master's external node. Default: the one of the usual name. */
  readonly node?: string;
  /** The instances on that node. */
  readonly instances: readonly ServiceInstance[];
  /** Our instances on other nodes, such as those with a name of former versions. */
  readonly former?: readonly ServiceInstance[];
}

export interface InstanceCheck {
  readonly id: string;
  /** Empty for a check of the node itself. */
  readonly serviceId: string;
  readonly name: string;
  readonly status: CheckStatus;
  readonly output: string;
  /** Of the check of a master: the code of what it reports. */
  readonly notes?: string;
}

/** A node of the catalog. */
export interface CatalogNode {
  /** The agent's own id; empty for an external node. */
  readonly id: string;
  readonly node: string;
  readonly address: string;
  readonly datacenter: string;
  readonly meta: Readonly<Record<string, string>>;
  readonly taggedAddresses?: Readonly<Record<string, string>>;
}

/** A root certificate of the service mesh; certificates are PEM texts. */
export interface CaRoot {
  readonly id: string;
  readonly name: string;
  readonly active: boolean;
  readonly rootCert: string;
  readonly intermediateCerts: readonly string[];
}

/** A certificate of the service mesh with its private key, as PEM texts. */
export interface CaLeaf {
  readonly service: string;
  readonly serialNumber: string;
  readonly cert: string;
  readonly privateKey: string;
  /** Times as in RFC 3339. */
  readonly validAfter: string;
  readonly validBefore: string;
}

/** A connection with another cluster of Consul. */
export interface Peering {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly meta: Readonly<Record<string, string>>;
}

/** A node with the services that are registered on it, sorted by id. */
export interface NodeDetail extends CatalogNode {
  readonly services: readonly CatalogService[];
}
