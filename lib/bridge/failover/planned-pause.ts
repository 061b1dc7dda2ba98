import { performance } from 'node:perf_hooks';
import type { RedisLink } from '../../client/redis.ts';
import type { RedisPool } from '../../client/redis-pool.ts';
import { SwitchmasterError } from '../../errors.ts';
import type { Address } from '../../model/address.ts';
import { type FenceOutcome, pauseWrites, releaseWrites } from '../apply/fence.ts';
import { readReplicationOf, whyBehind } from './planned-replication.ts';

/*
 * When the writes of the old master stop.
 *
 * Between SENTINEL FAILOVER and SLAVEOF NO ONE are three ticks of Sentinel's timer: +elected-leader, +selected-slave, then the
 * promotion (sentinel.c, sentinelFailoverStateMachine does one step for each tick). The first tick may come at once, and between
 * two ticks are 1000 / hz milliseconds, where hz is 10 to 19 (sentinelTimer). So a promotion follows the order by 104 ms at least,
 * and by some 190 ms on average. Writes need not wait for all of that time if the replicas are in step.
 *
 * The master itself begins the pause: WAIT for more replicas than there are blocks a connection for an exact time, and the server
 * then reads CLIENT PAUSE behind it. The pause comes in time also if this process stands still meanwhile. Where the server
 * refuses WAIT, the pause comes at once.
 */

/** From before the order to the pause. The rest of the 104 ms is for the replicas to receive the last writes. */
const delayMs = 75;
/** How soon replicas must have what the master has, for the pause to come late. */
const inStepMs = 20;
const inStepAttempts = 3;
const unreachableReplicas = 1_000_000;
const timeoutMs = 500;

/** A pause of writes that was requested. */
export interface PlannedPause {
  /** `late`: it begins by itself `delayMs` after the request. */
  readonly begins: 'now' | 'late';
  /** Settles when it has begun, or could not. Never rejects. */
  readonly begun: Promise<FenceOutcome>;
}

/** Pauses the writes of `master` now, or late if every replica is in step and the server permits it. */
export async function requestPause(
  redis: RedisPool,
  pause: { readonly master: Address; readonly candidates: readonly Address[]; readonly pauseMs: number },
): Promise<PlannedPause> {
  const { master, candidates, pauseMs } = pause;
  const link = redis.openLink(master);
  const now = (): PlannedPause => ({ begins: 'now', begun: pauseWrites(redis, { address: master, pauseMs }) });
  await link.connected({ timeoutMs });
  if (!(await isPermitted(link)) || !(await areInStep(redis, { master, candidates }))) {
    link.close();
    return now();
  }
  const read = link.callNow([['ROLE']], { timeoutMs });
  const begun = beginLate(link, pauseMs).catch(() => pauseWrites(redis, { address: master, pauseMs }));
  // Sentinel may get its order when the server has read this.
  await read.catch(() => undefined);
  return { begins: 'late', begun: begun.finally(() => link.close()) };
}

/** Ends a pause, also one that has not begun. */
export async function endPause(redis: RedisPool, master: Address, { begun }: PlannedPause): Promise<void> {
  await begun;
  await releaseWrites(redis, master);
}

/** Whether this connection may pause writes: a pause of a millisecond. */
async function isPermitted(link: RedisLink): Promise<boolean> {
  const [reply] = await link.callNow([['CLIENT', 'PAUSE', 1, 'WRITE']], { timeoutMs }).catch(() => []);
  return reply === 'OK';
}

/** Whether the replicas receive at once what the master writes. */
async function areInStep(
  redis: RedisPool,
  { master, candidates }: { readonly master: Address; readonly candidates: readonly Address[] },
): Promise<boolean> {
  for (let attempt = 0; attempt < inStepAttempts; attempt += 1) {
    const startedMs = performance.now();
    const offset = (await readReplicationOf(redis, master))?.offset;
    if (offset === undefined) return false;
    const lags = await Promise.all(
      candidates.map((address) => whyBehind(redis, address, { offset, withinMs: inStepMs })),
    );
    const isInTime = performance.now() - startedMs <= inStepMs;
    if (isInTime && lags.every((lag) => lag === undefined)) return true;
  }
  return false;
}

/** Sent in one go. Rejects where the server does not answer, or refuses the pause. */
async function beginLate(link: RedisLink, pauseMs: number): Promise<FenceOutcome> {
  const commands = [
    ['WAIT', unreachableReplicas, delayMs],
    ['CLIENT', 'PAUSE', pauseMs, 'WRITE'],
  ] as const;
  const [, reply] = await link.callNow(commands, { timeoutMs: delayMs + timeoutMs });
  if (reply !== 'OK') throw new SwitchmasterError('redis-refused', String(reply), { cause: reply });
  return { kind: 'applied' };
}
