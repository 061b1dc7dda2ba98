import { translateRedisError } from '../../client/redis.ts';
import type { RedisPool } from '../../client/redis-pool.ts';
import { SwitchmasterError } from '../../errors.ts';
import { type Address, formatAddress } from '../../model/address.ts';

/** What became of a fencing step. */
export type FenceOutcome =
  | { readonly kind: 'applied' }
  | { readonly kind: 'failed'; readonly error: SwitchmasterError };

const timeoutMs = 300;

/** Writes wait for `pauseMs`, and are carried out then; reads go on (CLIENT PAUSE WRITE, Redis 6.2 and later). */
export function pauseWrites(
  redis: RedisPool,
  pause: { readonly address: Address; readonly pauseMs: number },
): Promise<FenceOutcome> {
  return carryOut(redis, pause.address, [['CLIENT', 'PAUSE', pause.pauseMs, 'WRITE']]);
}

/** Writes that wait are carried out now. */
export function releaseWrites(redis: RedisPool, address: Address): Promise<FenceOutcome> {
  return carryOut(redis, address, [['CLIENT', 'UNPAUSE']]);
}

/**
 * Makes a former master a replica, as Sentinel does (sentinel.c, sentinelSendSlaveOf): in one transaction it follows the
 * master, remembers that across a restart, and ends its clients, so that they ask anew who is master. Then the writes
 * that were paused are let go, into the error that a replica gives.
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

/** The first refusal counts, except of what older servers and servers without a config file lack. */
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

/** A server without a config file cannot rewrite it, and takes the rest of the transaction all the same. */
function isHarmless(message: string): boolean {
  return message.startsWith('ERR The server is running without a config file');
}
