import { translateRedisError } from '../../client/redis.ts';
import type { RedisPool } from '../../client/redis-pool.ts';
import { SwitchmasterError } from '../../errors.ts';
import { type Address, formatAddress } from '../../model/address.ts';

/** The result of a fencing step. */
export type FenceOutcome =
  | { readonly kind: 'applied' }
  | { readonly kind: 'failed'; readonly error: SwitchmasterError };

const timeoutMs = 300;

/** Delays writes for `pauseMs`, but not reads (CLIENT PAUSE WRITE, Redis 6.2 and later). */
export function pauseWrites(
  redis: RedisPool,
  pause: { readonly address: Address; readonly pauseMs: number },
): Promise<FenceOutcome> {
  return carryOut(redis, pause.address, [['CLIENT', 'PAUSE', pause.pauseMs, 'WRITE']]);
}

/** Ends the pause: the server carries out the delayed writes now. */
export function releaseWrites(redis: RedisPool, address: Address): Promise<FenceOutcome> {
  return carryOut(redis, address, [['CLIENT', 'UNPAUSE']]);
}

/**
 * Makes a former master a replica, as Sentinel does (sentinel.c, sentinelSendSlaveOf). In one transaction the server
 * follows the master, writes that to its config file, and disconnects its clients, so that they ask again who is master.
 * Then the pause ends, and the delayed writes get the error that a replica returns.
 */
export async function demote(
  redis: RedisPool,
  demotion: { readonly address: Address; readonly master: Address },
): Promise<FenceOutcome> {
  const { address, master } = demotion;
  return carryOut(redis, address, [
    ['MULTI'],
    ['REPLICAOF', master.host, master.port],
    ['CONFIG', 'REWRITE'],
    ['CLIENT', 'KILL', 'TYPE', 'normal'],
    ['CLIENT', 'KILL', 'TYPE', 'pubsub'],
    ['EXEC'],
    ['CLIENT', 'UNPAUSE'],
  ]);
}

/** The first error reply counts, except the one of a server without a config file. */
async function carryOut(
  redis: RedisPool,
  address: Address,
  commands: readonly (readonly [string, ...(string | number)[]])[],
): Promise<FenceOutcome> {
  try {
    const replies = await redis.command(address, commands, { timeoutMs });
    const refused = replies.flat().find((reply) => reply instanceof Error && !isHarmless(reply.message));
    if (!(refused instanceof Error)) return { kind: 'applied' };
    const what = `${commands[0]?.slice(0, 2).join(' ')} at ${formatAddress(address)}`;
    return { kind: 'failed', error: translateRedisError(refused, { what, lastError: undefined }) };
  } catch (thrown) {
    return { kind: 'failed', error: SwitchmasterError.from(thrown) };
  }
}

/** A server without a config file cannot rewrite it, and still runs the rest of the transaction. */
function isHarmless(message: string): boolean {
  return message.startsWith('ERR The server is running without a config file');
}
