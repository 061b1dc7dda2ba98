import { SwitchmasterError } from '../errors.ts';
import { type Address, formatAddress, isHost, toAddress } from '../model/address.ts';
import {
  type ClusterNode,
  type ClusterView,
  type ClusterViewShard,
  normalizeRanges,
  type SlotRange,
  slotCount,
} from '../model/cluster.ts';
import { readInfo } from './instance-shapes.ts';
import { replyNumber, replyText } from './reply-text.ts';

/* The view of a Redis Cluster by one of its nodes: from CLUSTER SHARDS (Redis 7 and later) or CLUSTER NODES. */

export const clusterCommands = [
  ['CLUSTER', 'MYID'],
  ['CLUSTER', 'INFO'],
  ['CLUSTER', 'SHARDS'],
] as const;

/** Reads the replies to {@link clusterCommands}. `nodes` is the reply to CLUSTER NODES where the node has no SHARDS. */
export function toClusterView(
  replies: readonly unknown[],
  asked: { readonly at: Address; readonly tls: 'tls' | 'plain'; readonly nodes: unknown },
): ClusterView {
  const [nodeId, text, shards] = replies;
  const info = readInfo(text);
  const epoch = Number(info.get('cluster_current_epoch'));
  if (typeof nodeId !== 'string' || !Number.isSafeInteger(epoch)) throw invalid(asked.at, 'CLUSTER INFO');
  return {
    nodeId,
    askedAt: asked.at,
    epoch,
    state: info.get('cluster_state') === 'ok' ? 'ok' : 'fail',
    shards: Array.isArray(shards) ? shards.map((shard) => readShard(shard, asked)) : readNodes(asked),
  };
}

function readShard(reply: unknown, asked: { readonly at: Address; readonly tls: 'tls' | 'plain' }): ClusterViewShard {
  const shard = fieldsOf(reply);
  const slots = shard.get('slots');
  const nodes = shard.get('nodes');
  if (!Array.isArray(slots) || !Array.isArray(nodes) || slots.length % 2 !== 0)
    throw invalid(asked.at, 'CLUSTER SHARDS');
  const ranges: SlotRange[] = [];
  for (let i = 0; i < slots.length; i += 2) ranges.push(readRange(slots[i], slots[i + 1], asked.at));
  return { slots: normalizeRanges(ranges), nodes: nodes.map((node) => readShardNode(fieldsOf(node), asked)) };
}

function readShardNode(
  fields: ReadonlyMap<string, unknown>,
  asked: { readonly at: Address; readonly tls: 'tls' | 'plain' },
): ClusterNode {
  const port = replyNumber(
    fields.get(asked.tls === 'tls' ? 'tls-port' : 'port') ?? fields.get('port') ?? fields.get('tls-port'),
  );
  // An unknown endpoint is empty, `?` or null. Of a node's other names, its IP address needs no resolver.
  const hosts = [fields.get('endpoint'), fields.get('ip'), fields.get('hostname')];
  const health = fields.get('health');
  return {
    id: replyText(fields.get('id')),
    address: toAddress(hosts.find(isHost), port),
    names: namesOf(hosts, port),
    role: fields.get('role') === 'master' ? 'master' : 'replica',
    health: health === 'fail' || health === 'failed' ? 'fail' : health === 'loading' ? 'loading' : 'online',
  };
}

interface NodeLine extends ClusterNode {
  readonly masterId: string;
  readonly slots: readonly SlotRange[];
}

/** `id ip:port@bus[,hostname] flags master ping pong epoch link slots...` */
function readNodes({
  at,
  nodes: text,
}: {
  readonly at: Address;
  readonly nodes: unknown;
}): readonly ClusterViewShard[] {
  if (typeof text !== 'string') throw invalid(at, 'CLUSTER NODES');
  const nodes = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => readNodeLine(line, at))
    .filter((node) => node !== undefined);
  return nodes
    .filter(({ role }) => role === 'master')
    .map((master) => ({
      slots: master.slots,
      nodes: [master, ...nodes.filter(({ masterId }) => masterId === master.id)].map(
        ({ id, address, names = [], role, health }) => ({ id, address, names, role, health }),
      ),
    }));
}

function readNodeLine(line: string, at: Address): NodeLine | undefined {
  const [id = '', place = '', flagText = '', masterId = '', , , , , ...slots] = line.split(' ');
  const flags = new Set(flagText.split(','));
  if (flags.has('noaddr') || flags.has('handshake')) return undefined;
  const [, ip, port, hostname] = /^(.*):(\d+)(?:@\d+)?(?:,([^,]*))?/.exec(place) ?? [];
  return {
    id,
    address: toAddress([hostname, ip].find(isHost), port),
    names: namesOf([hostname, ip], port),
    role: flags.has('master') ? 'master' : 'replica',
    health: flags.has('fail') ? 'fail' : 'online',
    masterId,
    slots: normalizeRanges(
      slots
        .filter((slot) => !slot.startsWith('['))
        .map((slot) => {
          const [from, to] = slot.split('-');
          return readRange(from, to ?? from, at);
        }),
    ),
  };
}

function namesOf(hosts: readonly unknown[], port: unknown): readonly Address[] {
  return [...new Set(hosts)].flatMap((host) => toAddress(host, port) ?? []);
}

function readRange(from: unknown, to: unknown, at: Address): SlotRange {
  const range = { from: Number(from), to: Number(to) };
  const good = [range.from, range.to].every((slot) => Number.isInteger(slot) && slot >= 0 && slot < slotCount);
  if (!good || range.from > range.to) throw invalid(at, 'the list of slots');
  return range;
}

function fieldsOf(reply: unknown): ReadonlyMap<string, unknown> {
  const fields = new Map<string, unknown>();
  if (Array.isArray(reply)) for (let i = 0; i + 1 < reply.length; i += 2) fields.set(replyText(reply[i]), reply[i + 1]);
  return fields;
}

function invalid(at: Address, what: string): SwitchmasterError {
  return new SwitchmasterError(
    'redis-answer-invalid',
    `${what} at ${formatAddress(at)} is not of the documented shape`,
  );
}
