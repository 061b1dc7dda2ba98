import { readInfo } from '../../client/instance-shapes.ts';
import { countLastingKeys } from '../../client/keyspace.ts';
import type { RedisPool } from '../../client/redis-pool.ts';
import { readReplication } from '../../client/replication-shapes.ts';
import { formatAddress } from '../../model/address.ts';
import type { CrashReplica } from '../plan/crash.ts';

const timeoutMs = 200;

/** The replica's link and its keys, after its master has crashed or restarted. Never rejects. */
export async function readReplica(
  redis: RedisPool,
  { address, wasInStep }: Pick<CrashReplica, 'address' | 'wasInStep'>,
): Promise<CrashReplica> {
  try {
    const commands = [['ROLE'], ['INFO', 'keyspace'], ['INFO', 'replication']] as const;
    const [role, keyspace, replication] = await redis.command(address, commands, { timeoutMs });
    const state = readReplication(role, `ROLE at ${formatAddress(address)}`);
    if (state.role !== 'replica') return { address, wasInStep, link: 'unanswered' };
    const link = readLink(state.link);
    const hasData = wasInStep && isSameProcess(replication, link);
    return { address, link, keys: countLastingKeys(keyspace), wasInStep: hasData };
  } catch {
    return { address, wasInStep, link: 'unanswered' };
  }
}

/**
 * Whether its process was connected to the master. One that never was (-1) has started since, and may lack the data. INFO has the
 * field as long as the link is not up: without it, the server refuses INFO, and a process that has started since looks the same.
 */
function isSameProcess(replication: unknown, link: CrashReplica['link']): boolean {
  const downForS = readInfo(replication).get('master_link_down_since_seconds');
  return downForS === undefined ? link !== 'down' : downForS !== '-1';
}

/** ROLE's states of a link (replication.c, roleCommand): from `handshake` on, the master has accepted a connection. */
function readLink(state: string): CrashReplica['link'] {
  if (state === 'connected') return 'connected';
  return state === 'sync' || state === 'handshake' ? 'syncing' : 'down';
}
