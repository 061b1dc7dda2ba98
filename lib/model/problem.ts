import { formatAddress } from './address.ts';
import type { ServiceInstance } from './catalog.ts';

/**
 * Problems of a master whose record is right.
 * `redis-denied`: a Redis refuses access to the bridge. `redis-unreached`: the bridge never reached a Redis that Sentinels
 * see as up. `sentinels-disagree`: a Sentinel names another master than the record. `sentinel-uncounted`: a Sentinel was never
 * reached and does not count for this master. `foreign-instance`: DNS also answers an instance that somebody else registered.
 * `other-environment`: Consul has the same master in another environment. `foreign-check`: a critical check of somebody else keeps the master or a replica out of DNS. `loopback-published`: Sentinels know a server by a loopback address. `held`: the bridge waits for something.
 * `isolated`: a master of this node hears nobody, and its writes are paused.
 */
export const problemKinds = [
  'isolated',
  'redis-denied',
  'redis-unreached',
  'sentinels-disagree',
  'sentinel-uncounted',
  'foreign-instance',
  'foreign-check',
  'other-environment',
  'loopback-published',
  'held',
] as const;

export interface MasterProblem {
  readonly kind: (typeof problemKinds)[number];
  /** One sentence with the problem and its fix. */
  readonly message: string;
  /** What to type, where there is a better command than that of the kind. */
  readonly hint?: string | undefined;
}

/** An instance of `redis-master` or `redis-replica` on a node that is not ours. */
export type ForeignInstance = Pick<ServiceInstance, 'name' | 'id' | 'node' | 'address' | 'port'>;

/** switchmaster does not remove such an instance: its owner may have a reason, and would register it again. */
export function describeForeign({ name, id, node, address, port }: ForeignInstance): string {
  const where = `${formatAddress({ host: address, port })} (instance ${id} on node ${node})`;
  return `somebody else registered ${where} as ${name} with this master's tag, so DNS answers it too; have it deregistered there`;
}
