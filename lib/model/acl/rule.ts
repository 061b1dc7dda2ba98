import type { Naming } from '../naming.ts';
import type { ConsulQuery } from '../query.ts';

/** One rule of a Consul ACL policy. */
export interface AclRule {
  readonly resource:
    | 'key'
    | 'key_prefix'
    | 'service'
    | 'service_prefix'
    | 'node'
    | 'node_prefix'
    | 'session_prefix'
    | 'agent_prefix'
    /** Without a segment. */
    | 'peering';
  readonly segment: string;
  readonly policy: 'read' | 'write' | 'list';
  /** What the daemon needs it for. */
  readonly why: string;
  /** What does not happen without it, if a token that never had it is to be reported. Everything else works then. */
  readonly without?: string;
}

/** The parts of a config that need rights in Consul. */
export interface AclNeeds {
  readonly naming: Naming;
  /** Services that this node registers. */
  readonly registers: readonly string[];
  /** Names of the clusters that this node's cluster nodes belong to. */
  readonly memberOf: readonly string[];
  /** Globs of master names; undefined without a bridge. */
  readonly masters: readonly string[] | undefined;
  /** Whether the bridge orders failovers of masters that crashed. */
  readonly ordersOnCrash: boolean;
  readonly provisions: boolean;
  /** Services that have the addresses of Sentinels and cluster nodes. */
  readonly looksUp: readonly string[];
  /** Names of the Redis Clusters that the daemon follows. */
  readonly clusters: readonly string[];
  /** Names of those whose masters it fails over when they crash. */
  readonly clustersOnCrash: readonly string[];
  /** Whether the daemon answers in Sentinel's place. */
  readonly answersSentinel: boolean;
  /** What the templates read. */
  readonly queries: readonly ConsulQuery[];
  /** Whether a template has `rolling`. */
  readonly rolls: boolean;
}
