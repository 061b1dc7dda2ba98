import type { Address } from './address.ts';

/* What the nodes of a Redis Cluster say of a master that may have crashed. */

/** A node as another one, or itself, sees it. */
export interface ClusterPeer {
  readonly id: string;
  readonly role: 'master' | 'replica';
  /** Of the node that it replicates. */
  readonly masterId: string | undefined;
  /** `failed`: a majority of the masters finds it dead. `suspected`: this one does. */
  readonly health: 'ok' | 'suspected' | 'failed';
  /** Of the cluster's bus, from the node that answers. */
  readonly link: 'connected' | 'disconnected';
  readonly slots: 'some' | 'none';
  /** `never`: it has cluster-replica-no-failover. */
  readonly election: 'possible' | 'never';
}

/** One node, asked by this bridge after the crash. */
export interface NodeReading {
  readonly id: string;
  readonly askedAt: Address;
  /** cluster_current_epoch. */
  readonly epoch: number;
  /** What it says of all nodes, itself included. */
  readonly peers: readonly ClusterPeer[];
  /** undefined for a master. */
  readonly replication: NodeReplication | undefined;
  /** Keys without a time to live. */
  readonly keys: number;
}

export interface NodeReplication {
  readonly link: 'connected' | 'syncing' | 'down';
  /** How much of the replication stream it has. */
  readonly offset: number;
  /** For how long the link has been down, by the second; undefined where it never was up. */
  readonly downForMs: number | undefined;
}
