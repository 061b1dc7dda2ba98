import { formatAddress } from './address.ts';
import type { ServiceInstance } from './catalog.ts';

/**
 * What can be wrong with a master while its record is right.
 * `redis-denied`: a Redis does not let the bridge in. `redis-unreached`: the bridge never got to one that Sentinels see up.
 * `sentinels-disagree`: somebody names another master than the record.
 * `foreign-instance`: DNS answers an instance of somebody else beside ours.
 * `held`: what the bridge itself waits for.
 */
export const problemKinds = [
  'redis-denied',
  'redis-unreached',
  'sentinels-disagree',
  'foreign-instance',
  'held',
] as const;

export interface Trouble {
  readonly kind: (typeof problemKinds)[number];
  /** A sentence: what is wrong, and the way out. */
  readonly message: string;
}

/** An instance of `redis-master` or `redis-replica` on a node that is none of ours. */
export type ForeignInstance = Pick<ServiceInstance, 'name' | 'id' | 'node' | 'address' | 'port'>;

/** It is never removed by us: whoever registered it may have a reason, and would register it again. */
export function describeForeign({ name, id, node, address, port }: ForeignInstance): string {
  const where = `${formatAddress({ host: address, port })} (instance ${id} on node ${node})`;
  return `somebody else registered ${where} as ${name} with this master's tag, so DNS answers it too; have it deregistered there`;
}
