import type { RedisAccess } from '../../client/redis-connection.ts';
import type { Address, Endpoint } from '../../model/address.ts';

/** A Redis that this daemon registers, and whose writes it may pause. */
export interface LocalRedis {
  /** The instance's id. */
  readonly id: string;
  /** The master's name, by the config or by the record. */
  readonly name: string;
  readonly endpoint: Endpoint;
  /** Every address by which others may know it. */
  readonly addresses: readonly Address[];
  /** The same object as long as the settings are the same. */
  readonly access: RedisAccess;
}
