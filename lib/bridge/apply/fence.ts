import { isRefusal, translateRedisError } from '../../client/redis-errors.ts';
import type { RedisPool } from '../../client/redis-pool.ts';
import { SwitchmasterError } from '../../errors.ts';
import { type Address, formatAddress } from '../../model/address.ts';

/** The result of a fencing step. */
export type FenceOutcome =
  /** `refused`: the optional steps that the server refused. */
  | { readonly kind: 'applied'; readonly refused?: readonly string[] }
  | { readonly kind: 'failed'; readonly error: SwitchmasterError };

const timeoutMs = 300;

/** Delays writes for `pauseMs`, but not reads (CLIENT PAUSE WRITE, Redis 6.2 and later). */
export function pauseWrites(
  redis: RedisPool,
  pause: { readonly address: Address; readonly pauseMs: number },
): Promise<FenceOutcome> {
  return carryOut(redis, pause.address, [['CLIENT', 'PAUSE', pause.pauseMs, 'WRITE']]);
}

/**
 * {@link pauseWrites}, also where the connection was just lost or given up: a busy machine answers a ROLE too late, and the
 * link replaces its connection.
 */
export async function pauseWritesSoon(
  redis: RedisPool,
  pause: { readonly address: Address; readonly pauseMs: number },
): Promise<FenceOutcome> {
  await redis.connected(pause.address, { timeoutMs });
  return pauseWrites(redis, pause);
}

/** Ends the pause: the server carries out the delayed writes now. */
export function releaseWrites(redis: RedisPool, address: Address): Promise<FenceOutcome> {
  return carryOut(redis, address, [['CLIENT', 'UNPAUSE']]);
}

/** Ends the connections of clients, but not those of replicas, of subscribers, and the one that the command comes by. */
export function disconnectClients(redis: RedisPool, address: Address): Promise<FenceOutcome> {
  return carryOut(redis, address, [killClients]);
}

/**
 * Makes a former master a replica, as Sentinel does (sentinel.c, sentinelSendSlaveOf). Only REPLICAOF counts. The steps after
 * it are optional, each by itself: the server writes its config file, disconnects its clients, so that they ask again who is
 * master, and ends the pause, so that the delayed writes get the error that a replica returns. Operators rename or deny
 * CONFIG and CLIENT, and one refused command inside MULTI would abort all others.
 */
export async function demote(
  redis: RedisPool,
  demotion: { readonly address: Address; readonly master: Address },
): Promise<FenceOutcome> {
  const { address, master } = demotion;
  const outcome = await carryOut(redis, address, [['REPLICAOF', master.host, master.port]]);
  if (outcome.kind === 'failed') {
    if (!isRefusal(outcome.error)) return outcome;
    // Sentinel itself uses the older name, so a server that has only one of them has this one.
    const older = await carryOut(redis, address, [['SLAVEOF', master.host, master.port]]);
    if (older.kind === 'failed') return outcome;
  }
  return { kind: 'applied', refused: await finishDemotion(redis, address) };
}

/** Returns a description of each optional step that was refused. */
async function finishDemotion(redis: RedisPool, address: Address): Promise<readonly string[]> {
  try {
    const replies = await redis.command(address, stepsAfterDemotion, { timeoutMs });
    return replies.flatMap((reply, i) =>
      reply instanceof Error && !isHarmless(reply.message)
        ? [`${stepsAfterDemotion[i]?.slice(0, 2).join(' ')} (${reply.message})`]
        : [],
    );
  } catch (thrown) {
    return [SwitchmasterError.from(thrown).message];
  }
}

const killClients = ['CLIENT', 'KILL', 'TYPE', 'normal'] as const;

const stepsAfterDemotion = [
  ['CONFIG', 'REWRITE'],
  killClients,
  ['CLIENT', 'KILL', 'TYPE', 'pubsub'],
  ['CLIENT', 'UNPAUSE'],
] as const satisfies readonly (readonly [string, ...string[]])[];

/** The first error reply counts. */
async function carryOut(
  redis: RedisPool,
  address: Address,
  commands: readonly (readonly [string, ...(string | number)[]])[],
): Promise<FenceOutcome> {
  try {
    const replies = await redis.command(address, commands, { timeoutMs });
    const refused = replies.find((reply) => reply instanceof Error);
    if (!(refused instanceof Error)) return { kind: 'applied' };
    const what = `${commands[0]?.slice(0, 2).join(' ')} at ${formatAddress(address)}`;
    return { kind: 'failed', error: translateRedisError(refused, { what, lastError: undefined }) };
  } catch (thrown) {
    return { kind: 'failed', error: SwitchmasterError.from(thrown) };
  }
}

/** A server without a config file has nothing to rewrite. */
function isHarmless(message: string): boolean {
  return message.startsWith('ERR The server is running without a config file');
}
