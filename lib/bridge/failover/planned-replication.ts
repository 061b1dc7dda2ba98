import type { RedisPool } from '../../client/redis-pool.ts';
import { type ReplicationState, readInheritedOffset, readReplication } from '../../client/replication-shapes.ts';
import { holdsWithin } from '../../loop/stages.ts';
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

/** Why a replica does not have what its master had at `offset` within `withinMs`; undefined where it has. */
export async function whyBehind(
  redis: RedisPool,
  address: Address,
  { offset, withinMs }: { readonly offset: number; readonly withinMs: number },
): Promise<string | undefined> {
  let why: string | undefined;
  const follows = async () => {
    const state = await readReplicationOf(redis, address);
    why = describeShortfall(state, offset);
    return why === undefined;
  };
  await holdsWithin(follows, { timeoutMs: withinMs, pollMs: 2 });
  return why;
}

/** What a replica lacks of its master at `offset`, by its answer to ROLE; undefined where it lacks nothing. */
export function describeShortfall(state: ReplicationState | undefined, offset: number): string | undefined {
  if (state === undefined) return 'does not answer ROLE';
  if (state.role === 'master') return 'says that it is a master';
  if (state.link !== 'connected') return `says that its link to the master is in the state ${state.link}`;
  return state.offset >= offset ? undefined : `is ${offset - state.offset} bytes behind`;
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
