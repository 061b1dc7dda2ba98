import { RedisLink } from '../client/redis.ts';
import type { RedisAccess } from '../client/redis-connection.ts';
import { readReplication } from '../client/replication-shapes.ts';
import { SwitchmasterError } from '../errors.ts';
import type { ClusterState } from '../http/views.ts';
import { type Address, formatAddress, sameAddress } from '../model/address.ts';
import type { ClusterRecord, SlotRange } from '../model/cluster.ts';
import type { MasterRecord } from '../model/record.ts';
import { slotOfKey } from './slot.ts';
import type { Obstacle } from './successor.ts';

/* A shard of a Redis Cluster as the master that a drill kills. */

const timeoutMs = 2_000;
/** Enough to find a key of one slot. */
const mostTries = 200_000;

type Recorded = Pick<ClusterRecord, 'name' | 'epoch' | 'shards' | 'changedAt' | 'changedBy'>;

/** The shard of this slot, as the record of a master; null where it has no master. */
export function toShardRecord(record: Recorded, slot: number): MasterRecord | null {
  const shard = record.shards.find(({ slots }) => slots.some((range) => isWithin(range, slot)));
  if (shard === undefined || shard.master === null) return null;
  const { name, epoch, changedAt, changedBy } = record;
  const { master, replicas } = shard;
  const rest = { previous: null, reason: 'shard', changedAt, changedBy };
  return { version: 1, name, generation: 1, epoch, phase: 'confirmed', master, replicas, ...rest };
}

/** The first slot of the shard whose master this is. Throws `failover-refused` if it is none. */
export function slotOf({ name, shards }: Pick<ClusterRecord, 'name' | 'shards'>, node: Address): number {
  const shard = shards.find(({ master }) => master !== null && sameAddress(master, node));
  const [first] = shard?.slots ?? [];
  if (first !== undefined) return first.from;
  const message = `nothing was killed: ${formatAddress(node)} is no master of ${name} with slots`;
  throw new SwitchmasterError('failover-refused', message);
}

function isWithin({ from, to }: SlotRange, slot: number): boolean {
  return from <= slot && slot <= to;
}

/** A key for the writes of the drill that is in the slots of this master's shard. */
export function findKey({ shards }: Pick<ClusterRecord, 'shards'>, master: Address): string {
  const ranges = shards.find((shard) => shard.master !== null && sameAddress(shard.master, master))?.slots ?? [];
  for (let n = 0; n < mostTries; n += 1) {
    const key = `switchmaster:drill:{${n}}`;
    if (ranges.some((range) => isWithin(range, slotOfKey(key)))) return key;
  }
  throw new SwitchmasterError('failover-refused', `nothing was killed: no key was found for ${formatAddress(master)}`);
}

type KnownCluster = Pick<ClusterState, 'record' | 'problem' | 'unwell' | 'crashes' | 'maintenance'>;

/**
 * Why this node must not be killed on purpose: it is not the master of its shard any more, or the cluster could not replace it.
 * undefined where it can.
 */
export function whyNotKillNode(
  node: Address,
  { name, master, replicas }: MasterRecord,
  known: KnownCluster,
): Obstacle | undefined {
  const { record, problem, unwell, crashes, maintenance } = known;
  if (!sameAddress(master, node)) {
    const why = `${formatAddress(master)} has become the master in place of ${formatAddress(node)}`;
    return { lasts: 'until-changed', why };
  }
  if (maintenance?.state === 'on') return { lasts: 'until-changed', why: maintenance.text };
  if (replicas.length === 0)
    return { lasts: 'until-changed', why: `${formatAddress(master)} has no replica to promote` };
  const passing = (why: string) => ({ lasts: 'for-now', why }) as const;
  if (record === null || problem !== null)
    return passing(`the record of ${name} is not current (${problem ?? 'none'})`);
  if (record.state !== 'ok') return passing(`the nodes of ${name} report cluster_state:${record.state}`);
  const isWell = (node: Address) => ![...unwell, ...crashes].some(({ address }) => sameAddress(address, node));
  const masters = record.shards.flatMap((shard) => (shard.slots.length === 0 ? [] : (shard.master ?? [])));
  const voters = masters.filter((node) => !sameAddress(node, master) && isWell(node));
  if (voters.length * 2 <= masters.length)
    return passing(`${voters.length} of ${masters.length} masters could vote for a replica, which is no majority`);
  if (replicas.some(isWell)) return undefined;
  return passing(`no replica of ${formatAddress(master)} is well`);
}

/** Throws `failover-refused` where no replica of the master is in sync, by its own words. */
export async function requireReplicaInSync(
  { master, replicas }: Pick<MasterRecord, 'master' | 'replicas'>,
  access: RedisAccess,
): Promise<void> {
  const states = await Promise.all(replicas.map((address) => readLinkState(address, access)));
  if (states.includes('connected')) return;
  const message = `nothing was killed: no replica of ${formatAddress(master)} is in sync`;
  throw new SwitchmasterError('failover-refused', message);
}

async function readLinkState(address: Address, access: RedisAccess): Promise<string> {
  const link = new RedisLink(address, access);
  try {
    const state = readReplication(await link.call(['ROLE'], { timeoutMs }), `ROLE at ${formatAddress(address)}`);
    return state.role === 'replica' ? state.link : state.role;
  } catch {
    return 'unanswered';
  } finally {
    link.close();
  }
}

/** Whether the record has another master for the slot of the drill: a former replica, or any other node. */
export function hasMoved(
  record: Recorded | undefined,
  at: { readonly slot: number; readonly master: Address },
): boolean {
  const now = record === undefined ? null : toShardRecord(record, at.slot);
  return now !== null && !sameAddress(now.master, at.master);
}
