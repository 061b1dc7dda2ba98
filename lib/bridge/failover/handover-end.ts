import { abortFailover, type HandOverState, readHandOver } from '../../client/coordinated-failover.ts';
import type { RedisPool } from '../../client/redis-pool.ts';
import { holdsWithin } from '../../loop/stages.ts';
import type { Address } from '../../model/address.ts';
import { pauseWrites, releaseWrites } from '../apply/fence.ts';

const pollMs = 20;
const askTimeoutMs = 500;
/** For the master to answer at all. */
const answerMs = 2_000;
/** For the replicas to follow a master again that offered one of them to take over. */
const settleMs = 5_000;

/** How a coordinated failover ends that was not completed. */
export type HandOverEnd =
  /** The master takes writes, and no replica was promoted. */
  | 'undone'
  /** A replica is master, or the old master is a replica. Nothing was released. */
  | 'promoted'
  /** Neither is certain: the master does not answer, or it takes writes and a replica does not answer. */
  | 'unknown';

/**
 * Ends the FAILOVER of a master, which takes writes again, unless a replica was promoted. FAILOVER ABORT ends also one whose replica
 * accepts the offer at that moment, and then there are two masters. A master that did not offer has the history of before.
 */
export async function endHandOver(
  redis: RedisPool,
  given: { readonly master: Address; readonly candidates: readonly Address[]; readonly history: string | undefined },
): Promise<HandOverEnd> {
  const { master, candidates, history } = given;
  const isUndone = (state: HandOverState) => state.stage === 'idle' && state.history === history;
  const before = await readHandOverSoon(redis, master);
  if (before === undefined) return 'unknown';
  if (before.stage === 'done' || (await askReplicas(redis, candidates)) === 'promoted') return 'promoted';
  if (isUndone(before)) return release(redis, master, 'undone');
  // Its own pause ends with its FAILOVER.
  await pauseWrites(redis, { address: master, pauseMs: 2 * settleMs });
  await abortFailover(redis, master, { timeoutMs: askTimeoutMs });
  const after = await readHandOverSoon(redis, master);
  if (after === undefined) return 'unknown';
  if (isUndone(after)) return release(redis, master, 'undone');
  let end: HandOverEnd | undefined;
  const reached = async () => {
    end = await askReplicas(redis, candidates);
    return end !== 'unknown';
  };
  await holdsWithin(reached, { timeoutMs: settleMs, pollMs });
  return end === 'promoted' ? end : release(redis, master, end ?? 'unknown');
}

async function release(redis: RedisPool, master: Address, end: HandOverEnd): Promise<HandOverEnd> {
  const outcome = await releaseWrites(redis, master);
  return outcome.kind === 'applied' ? end : 'unknown';
}

/** undefined where it does not answer for two seconds. Its connection may just be opened again. */
export async function readHandOverSoon(redis: RedisPool, master: Address): Promise<HandOverState | undefined> {
  let state: HandOverState | undefined;
  const reached = async () => {
    state = await readHandOver(redis, master, { timeoutMs: askTimeoutMs });
    return state !== undefined;
  };
  await holdsWithin(reached, { timeoutMs: answerMs, pollMs });
  return state;
}

/** A replica that does not answer may have been promoted. */
async function askReplicas(redis: RedisPool, candidates: readonly Address[]): Promise<HandOverEnd> {
  const roles = await Promise.all(candidates.map((address) => redis.role(address, { timeoutMs: askTimeoutMs })));
  if (roles.some(({ role }) => role === 'master')) return 'promoted';
  return roles.every(({ role }) => role === 'replica') ? 'undone' : 'unknown';
}
