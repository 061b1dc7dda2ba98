import { knowsCoordinated, probeFailover } from '../../client/coordinated-failover.ts';
import type { RedisPool } from '../../client/redis-pool.ts';
import { SwitchmasterError } from '../../errors.ts';
import { type Address, formatAddress, sameAddress } from '../../model/address.ts';
import type { MasterRecord } from '../../model/record.ts';
import type { SentinelSource } from '../observe/sentinels.ts';
import type { RefusedHandOvers } from './refused-handovers.ts';

/** How a planned failover keeps writes from being lost. */
export type Manner =
  /** The master itself pauses its writes, and hands over to a replica that has all of its data. */
  | { readonly kind: 'coordinated' }
  /** The bridge pauses the writes. `why`: what prevents the other manner. */
  | { readonly kind: 'paused'; readonly why: string };

/** What the manner depends on. */
export interface MannerReading {
  readonly sentinel: Address;
  /** Whether the Sentinel that gets the order knows coordinated failovers, or why that is unknown. */
  readonly knows: boolean | SwitchmasterError;
  readonly master: Address;
  /** The master and the replicas that it may hand over to, each with its answer to an invalid FAILOVER. */
  readonly servers: readonly { readonly address: Address; readonly says: string | undefined }[];
}

/**
 * Coordinated, if the Sentinel and every server know it, and the bridge may abort it at the master. A master whose replica falls
 * silent would not take writes for failover-timeout otherwise, by default three minutes.
 */
export function chooseManner({ sentinel, knows, master, servers }: MannerReading): Manner {
  const at = `the Sentinel ${formatAddress(sentinel)}`;
  if (knows instanceof SwitchmasterError)
    return { kind: 'paused', why: `${at} does not say whether it knows coordinated failovers: ${knows.message}` };
  if (!knows) return { kind: 'paused', why: `${at} does not know coordinated failovers (Valkey 9 does)` };
  const obstacles = servers.map((server) => findObstacle(server, sameAddress(server.address, master)));
  const why = obstacles.find((obstacle) => obstacle !== undefined);
  return why === undefined ? { kind: 'coordinated' } : { kind: 'paused', why };
}

function findObstacle({ address, says }: MannerReading['servers'][number], isMaster: boolean): string | undefined {
  const server = formatAddress(address);
  if (says === undefined) return `${server} does not answer`;
  if (/^ERR syntax error/i.test(says)) return undefined;
  if (/^ERR unknown command/i.test(says)) return `${server} does not know FAILOVER (Redis 6.2 and later do): ${says}`;
  // Only the master carries FAILOVER out.
  if (/^NOPERM/.test(says)) return isMaster ? `${server} does not permit FAILOVER to the bridge: ${says}` : undefined;
  return `${server} refuses FAILOVER: ${says}`;
}

const askTimeoutMs = 1_000;

/** Asks the Sentinel, and then the servers if it knows coordinated failovers. Writes continue meanwhile. */
export async function readManner(
  name: string,
  {
    sentinels,
    redis,
    refusedHandOvers,
  }: {
    readonly sentinels: Pick<SentinelSource, 'linkTo'>;
    readonly redis: RedisPool;
    readonly refusedHandOvers: Pick<RefusedHandOvers, 'whyNot'>;
  },
  { record, candidates }: { readonly record: MasterRecord; readonly candidates: readonly Address[] },
): Promise<Manner> {
  const { master } = record;
  const refusal = refusedHandOvers.whyNot(record);
  if (refusal !== undefined) return { kind: 'paused', why: refusal };
  const link = sentinels.linkTo(name);
  if (link === undefined) return { kind: 'paused', why: 'no Sentinel can be reached' };
  const deadline = { timeoutMs: askTimeoutMs };
  const knows = await knowsCoordinated(link, deadline).catch((thrown: unknown) => SwitchmasterError.from(thrown));
  const asked = knows === true ? [master, ...candidates] : [];
  const servers = await Promise.all(
    asked.map(async (address) => ({ address, says: await probeFailover(redis, address, deadline) })),
  );
  return chooseManner({ sentinel: link.address, knows, master, servers });
}
