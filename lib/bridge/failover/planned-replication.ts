import type { RedisPool } from '../../client/redis-pool.ts';
import { type ReplicationState, readInheritedOffset, readReplication } from '../../client/replication-shapes.ts';
import { type Address, formatAddress } from '../../model/address.ts';

const askTimeoutMs = 500;

/** undefined where the server does not answer now: its connection may just be opened again. */
export async function readReplicationOf(redis: RedisPool, address: Address): Promise<ReplicationState | undefined> {
  try {
    const [reply] = await redis.command(address, [['ROLE']], { timeoutMs: askTimeoutMs });
    return readReplication(reply, `ROLE at ${formatAddress(address)}`);
  } catch {
    return undefined;
  }
}

export async function isAnyMaster(redis: RedisPool, addresses: readonly Address[]): Promise<boolean> {
  const roles = await Promise.all(addresses.map((address) => redis.role(address, { timeoutMs: askTimeoutMs })));
  return roles.some(({ role }) => role === 'master');
}

/** INFO replication; undefined where the server does not answer. */
export async function readReplicationInfo(redis: RedisPool, address: Address): Promise<unknown> {
  const [info] = await redis.command(address, [['INFO', 'replication']], { timeoutMs: askTimeoutMs }).catch(() => []);
  return info;
}

/** NaN where the new master does not answer: the Sentinels' confirmation still counts. */
export async function readInheritedBy(redis: RedisPool, address: Address): Promise<number> {
  return readInheritedOffset(await readReplicationInfo(redis, address)) ?? Number.NaN;
}
