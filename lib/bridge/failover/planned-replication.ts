import { setTimeout as delay } from 'node:timers/promises';
import type { RedisPool } from '../../client/redis-pool.ts';
import {
  type ReplicationState,
  readInheritedOffset,
  readReplication,
  readSharedHistory,
} from '../../client/replication-shapes.ts';
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

/** Whether every one of these replicas is linked, and has the master's stream up to `offset`. */
export async function haveReached(redis: RedisPool, replicas: readonly Address[], offset: number): Promise<boolean> {
  const states = await Promise.all(replicas.map((address) => readReplicationOf(redis, address)));
  return states.every((state) => state?.role === 'replica' && state.link === 'connected' && state.offset >= offset);
}

export async function isAnyMaster(redis: RedisPool, addresses: readonly Address[]): Promise<boolean> {
  const roles = await Promise.all(addresses.map((address) => redis.role(address, { timeoutMs: askTimeoutMs })));
  return roles.some(({ role }) => role === 'master');
}

/** NaN where the new master does not answer: the Sentinels' confirmation still counts. */
export async function readInheritedBy(redis: RedisPool, address: Address): Promise<number> {
  const [info] = await redis.command(address, [['INFO', 'replication']], { timeoutMs: askTimeoutMs }).catch(() => []);
  return readInheritedOffset(info) ?? Number.NaN;
}

/** How long the old master may take to continue as a replica of the new one. */
const continueTimeoutMs = 5_000;
const pollMs = 50;

/**
 * The offset at which a former master stopped, after a failover that the master itself carried out. NaN where it does not show that
 * it continued the history of the new one.
 */
export async function readStoppedAt(
  redis: RedisPool,
  change: { readonly from: Address; readonly to: Address },
): Promise<number> {
  const deadlineMs = performance.now() + continueTimeoutMs;
  for (;;) {
    const [old, now] = await Promise.all([readHistoryOf(redis, change.from), readHistoryOf(redis, change.to)]);
    if (old !== undefined && old.id === now?.id) return old.offset;
    if (performance.now() > deadlineMs) return Number.NaN;
    await delay(pollMs);
  }
}

async function readHistoryOf(redis: RedisPool, address: Address): Promise<ReturnType<typeof readSharedHistory>> {
  const [info] = await redis.command(address, [['INFO', 'replication']], { timeoutMs: askTimeoutMs }).catch(() => []);
  return readSharedHistory(info);
}
