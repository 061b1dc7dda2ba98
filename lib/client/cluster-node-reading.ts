import { SwitchmasterError } from '../errors.ts';
import type { Address } from '../model/address.ts';
import { formatAddress } from '../model/address.ts';
import type { ClusterPeer, NodeReading, NodeReplication } from '../model/cluster-crash.ts';
import { type InfoFields, readInfo } from './instance-shapes.ts';
import { countLastingKeys } from './keyspace.ts';

/* What a node of a Redis Cluster says of the other nodes and of its own replication. */

export const readingCommands = [
  ['CLUSTER', 'INFO'],
  ['CLUSTER', 'NODES'],
  ['INFO', 'replication'],
  ['INFO', 'keyspace'],
] as const;

/** Reads the replies to {@link readingCommands}. Throws where the node refuses one, as while it loads. */
export function toNodeReading(replies: readonly unknown[], askedAt: Address): NodeReading {
  const [clusterInfo, nodes, replication, keyspace] = replies;
  const epoch = Number(readInfo(clusterInfo).get('cluster_current_epoch'));
  const lines = typeof nodes === 'string' ? nodes.split('\n').filter((line) => line !== '') : [];
  const own = lines.find((line) => flagsOf(line).has('myself'));
  const fields = readInfo(replication);
  const role = fields.get('role');
  if (!Number.isSafeInteger(epoch) || own === undefined || role === undefined)
    throw new SwitchmasterError('redis-answer-invalid', `${formatAddress(askedAt)} does not describe its cluster`);
  return {
    id: own.split(' ')[0] ?? '',
    askedAt,
    epoch,
    peers: lines.map(readPeer),
    replication: role === 'master' ? undefined : readReplication(fields),
    keys: countLastingKeys(keyspace),
  };
}

/** `id ip:port@bus[,hostname] flags master ping pong epoch link slots...` */
function readPeer(line: string): ClusterPeer {
  const [id = '', , , masterId = '-', , , , link, ...slots] = line.split(' ');
  const flags = flagsOf(line);
  return {
    id,
    role: flags.has('master') ? 'master' : 'replica',
    masterId: masterId === '-' ? undefined : masterId,
    health: flags.has('fail') ? 'failed' : flags.has('fail?') ? 'suspected' : 'ok',
    link: link === 'connected' ? 'connected' : 'disconnected',
    // Slots on their way, in brackets, are listed at their present owner as well.
    slots: slots.some((slot) => !slot.startsWith('[')) ? 'some' : 'none',
    election: flags.has('nofailover') ? 'never' : 'possible',
  };
}

function flagsOf(line: string): ReadonlySet<string> {
  return new Set((line.split(' ')[2] ?? '').split(','));
}

function readReplication(fields: InfoFields): NodeReplication {
  const isSyncing = fields.get('master_sync_in_progress') === '1';
  const isUp = fields.get('master_link_status') === 'up';
  const downS = Number(fields.get('master_link_down_since_seconds') ?? -1);
  const offset = Number(fields.get('slave_repl_offset') ?? 0);
  return {
    link: isUp ? 'connected' : isSyncing ? 'syncing' : 'down',
    offset: Number.isSafeInteger(offset) ? offset : 0,
    downForMs: isUp ? 0 : downS >= 0 ? downS * 1_000 : undefined,
  };
}
