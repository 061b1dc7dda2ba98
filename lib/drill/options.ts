import type { RedisAccess } from '../client/redis-connection.ts';
import type { Config } from '../config/model.ts';
import type { Address } from '../model/address.ts';
import type { MasterRecord } from '../model/record.ts';

export interface DrillOptions {
  readonly config: Config;
  readonly record: MasterRecord;
  /** Proxies that a client writes through during the failover. */
  readonly proxies: readonly Address[];
  /** Consul's DNS. */
  readonly dns: Address;
  /** Of a Redis Cluster; then `record` is that of the shard. */
  readonly shard?: DrilledShard;
  /** `kill`: the master crashes instead of being failed over as planned. */
  readonly way: 'planned' | 'kill';
  /** Orders the failover or causes it, and resolves at its end. Calls `begin` if it began later than it was called. */
  readonly order: (begin: () => void) => Promise<DrillOrder>;
  /** How long a stage may take after the failover has ended. */
  readonly timeoutMs: number;
  readonly onStage?: (stage: string, ms: number) => void;
}

/** What differs where the master is one of a Redis Cluster. */
export interface DrilledShard {
  readonly access: RedisAccess;
  /** In the slots of the shard. */
  readonly key: string;
  readonly slot: number;
  readonly onCrash: 'failover' | 'wait';
}

/** The failover of a drill. */
export interface DrillOrder extends Pick<MasterRecord, 'name' | 'generation' | 'epoch'> {
  readonly from: Address;
  readonly to: Address;
  /** undefined where only the clients of the drill can tell. */
  readonly withoutWritesMs: number | undefined;
}
