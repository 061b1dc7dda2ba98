import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { readInfo } from '../../client/instance-shapes.ts';
import type { RedisPool } from '../../client/redis-pool.ts';
import { readReplication } from '../../client/replication-shapes.ts';
import { type Address, formatAddress } from '../../model/address.ts';
import type { CrashReplica, RestartedMaster } from '../plan/crash.ts';
import { tryConnectAll, type Way } from './connect-attempt.ts';

/* What the servers of a master say after it has crashed or restarted. */

const timeoutMs = 200;
const askEveryMs = 18;
const restartMs = 10_000;

/** The replica's link and its keys. Never rejects. */
export async function readReplica(
  redis: RedisPool,
  { address, wasInStep }: Pick<CrashReplica, 'address' | 'wasInStep'>,
): Promise<CrashReplica> {
  try {
    const commands = [['ROLE'], ['INFO', 'keyspace']] as const;
    const [role, keyspace] = await redis.command(address, commands, { timeoutMs });
    const state = readReplication(role, `ROLE at ${formatAddress(address)}`);
    if (state.role !== 'replica') return { address, wasInStep, link: 'unanswered' };
    return { address, wasInStep, link: readLink(state.link), keys: countLastingKeys(keyspace) };
  } catch {
    return { address, wasInStep, link: 'unanswered' };
  }
}

/**
 * What answers at the master's address, once it does not load any more; undefined where nothing answers for ten seconds.
 * `gone`: its host refuses connections again.
 */
export async function waitForRestart(
  redis: RedisPool,
  at: { readonly address: Address; readonly ways: readonly Way[]; readonly signal: AbortSignal },
): Promise<RestartedMaster | 'gone' | undefined> {
  const startedMs = performance.now();
  let last: RestartedMaster | undefined;
  while (last?.state === 'loading' || performance.now() - startedMs < restartMs) {
    await delay(askEveryMs, undefined, { signal: at.signal });
    const answer = await tryConnectAll(at.ways, { timeoutMs });
    if (answer === 'refused') return 'gone';
    last = answer === 'accepted' ? await readRestarted(redis, at.address) : undefined;
    if (last !== undefined && last.state !== 'loading') return last;
  }
  return undefined;
}

/** undefined where it does not answer. */
async function readRestarted(redis: RedisPool, address: Address): Promise<RestartedMaster | undefined> {
  try {
    await redis.connected(address, { timeoutMs });
    const [info] = await redis.command(address, [['INFO']], { timeoutMs });
    const fields = readInfo(info);
    const runId = fields.get('run_id');
    if (runId === undefined) return undefined;
    const state = fields.get('loading') === '1' ? 'loading' : fields.get('role') === 'master' ? 'master' : 'other';
    const persistence = fields.get('aof_enabled') === '1' ? 'append-only' : 'other';
    return { runId, state, persistence, keys: countLastingKeys(info) };
  } catch {
    return undefined;
  }
}

/** ROLE's states of a link (replication.c, roleCommand): from `handshake` on, the master has accepted a connection. */
function readLink(state: string): CrashReplica['link'] {
  if (state === 'connected') return 'connected';
  return state === 'sync' || state === 'handshake' ? 'syncing' : 'down';
}

/**
 * Keys without a time to live, from lines `db0:keys=3,expires=1,...`. A restart drops expired keys, of which replicas keep
 * a copy.
 */
function countLastingKeys(info: unknown): number {
  const databases = [...readInfo(info)].filter(([field]) => /^db\d+$/.test(field));
  const counts = databases.map(([, text]) => {
    const [, keys = 0, expires = 0] = /^keys=(\d+),expires=(\d+)/.exec(text) ?? [];
    return Number(keys) - Number(expires);
  });
  return counts.reduce((sum, count) => sum + count, 0);
}
