import type { Address } from './address.ts';
import type { CrashEndKind } from './crash-end.ts';
import { type ConnectionState, isProven } from './crash-proof.ts';
import { majorityOf } from './epoch.ts';

/* What bridges find of a master that may have crashed, whether Sentinels or a Redis Cluster have it. */

/** What this bridge has found. */
export type CrashSign =
  /** Its host refuses connections. */
  | { readonly kind: 'refused'; readonly connection: ConnectionState }
  /** Another process answers at its address, and has fewer keys without a time to live than a replica. */
  | { readonly kind: 'emptied'; readonly keys: number };

/** A bridge that could see the crash, this one included. */
export interface JudgingBridge {
  readonly bridge: string;
  /** Whether its daemon registers the master's process, on the same node. */
  readonly place: 'beside' | 'elsewhere';
  readonly sees: 'crash' | 'no-crash';
}

export type CrashDecision<Target = Address> =
  /** `target` fails over at once. */
  | { readonly kind: 'order'; readonly target: Target }
  /** Not yet: somebody contradicts, or has not answered. `end`: of what kind that is if it lasts. */
  | { readonly kind: 'wait'; readonly end: CrashEndKind; readonly why: string }
  /** Others act already. */
  | { readonly kind: 'leave'; readonly why: string }
  /** Nothing that comes soon allows an order. `forMs`: for how long, if that is known. */
  | { readonly kind: 'refuse'; readonly end: CrashEndKind; readonly why: string; readonly forMs?: number };

/** A process that answers at the address of the master, after a connection to the former one was closed. */
export interface RestartedMaster {
  readonly runId: string;
  readonly state: 'loading' | 'master' | 'other';
  /** `append-only`: it has loaded every write but those of the last second. */
  readonly persistence: 'append-only' | 'other';
  /** Keys without a time to live. */
  readonly keys: number;
}

/** The keys of a replica without a time to live; undefined where they were not counted. */
interface CountedReplica {
  readonly keys?: number | undefined;
}

/**
 * Whether its replicas would lose keys by copying its data. With an append-only file, some keys fewer can be deletions that
 * no replica has received.
 */
export function hasLostKeys({ persistence, keys }: RestartedMaster, replicas: readonly CountedReplica[]): boolean {
  if (persistence === 'append-only' && keys > 0) return false;
  return hasMoreKeys(replicas, keys);
}

export function hasMoreKeys(replicas: readonly CountedReplica[], keys: number): boolean {
  return replicas.some((replica) => (replica.keys ?? 0) > keys);
}

/** The daemon beside the master decides; without one, a majority of the bridges. undefined: they see the crash. */
export function contradictBridges(bridges: readonly JudgingBridge[]): string | undefined {
  const beside = bridges.filter(({ place }) => place === 'beside');
  const silent = beside.find(({ sees }) => sees === 'no-crash');
  if (silent !== undefined) return `the bridge ${silent.bridge} beside it has not seen a crash`;
  if (beside.length > 0) return undefined;
  if (bridges.length === 0) return 'Consul lists no bridge that judges crashes (see switchmaster acl)';
  const seeing = bridges.filter(({ sees }) => sees === 'crash').length;
  if (seeing >= majorityOf(bridges.length)) return undefined;
  return `${seeing} of ${bridges.length} bridges have seen the crash`;
}

/** An obstacle among the bridges: of what kind it is. Without any bridge, Consul does not have this one's own key. */
export function contradictionKind(bridges: readonly JudgingBridge[]): 'contradicted' | 'consul' {
  return bridges.length === 0 ? 'consul' : 'contradicted';
}

/** This host's own connections. To be asked last, because a busy bridge loses its own proof for a moment. */
export function contradictConnection(
  { connection }: Extract<CrashSign, { kind: 'refused' }>,
  at: { readonly crashAfterMs: number; readonly nowMs: number },
): string | undefined {
  return isProven(connection, at) ? undefined : 'its host has not refused connections for crashAfter';
}
