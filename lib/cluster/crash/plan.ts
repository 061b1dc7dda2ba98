import { type Address, formatAddress } from '../../model/address.ts';
import type { NodeReading } from '../../model/cluster-crash.ts';
import {
  type CrashDecision,
  type CrashSign,
  contradictBridges,
  contradictConnection,
  contradictionKind,
  hasMoreKeys,
  type JudgingBridge,
} from '../../model/crash.ts';
import type { CrashEndKind } from '../../model/crash-end.ts';
import { majorityOf } from '../../model/epoch.ts';

/** What a bridge knows of a master of a Redis Cluster that may have crashed. */
export interface ClusterCrashSituation {
  /** The node id of the master, and its address in the record. */
  readonly master: { readonly id: string; readonly address: Address };
  readonly sign: CrashSign;
  readonly crashAfterMs: number;
  readonly nowMs: number;
  /** How long ago its connection was closed. */
  readonly closedForMs: number;
  /** `other`: the record does not name it as a master with slots any more. */
  readonly recorded: 'master' | 'other';
  /** For how long this shard has had this master; no longer than the daemon knows. */
  readonly masterForMs: number;
  /** How long ago any bridge ordered a failover of it because of a crash; undefined where none did. */
  readonly lastOrderAgeMs: number | undefined;
  /** The shortest time between two failovers of a shard. */
  readonly failoverTimeMs: number;
  /** For how long the highest epoch has been the same; Infinity if it is the one from before the crash. */
  readonly epochForMs: number;
  /** The replicas of its shard, by node id, as the nodes listed them before the crash. */
  readonly replicas: readonly string[];
  /** Read after the sign was found. */
  readonly readings: readonly NodeReading[];
  readonly bridges: readonly JudgingBridge[];
  /** Why nothing may be ordered: it is in maintenance. */
  readonly maintenance: string | undefined;
}

/** Longer than an election takes: its epoch is known before its result. */
const electionMs = 500;
/** Redis counts the time of a link that is down in whole seconds. */
const roundingMs = 2_000;

/** Whether a replica is ordered to take over, because the process of its master is proven to be gone. See docs/crash.md. */
export function decideClusterCrash(situation: ClusterCrashSituation): CrashDecision {
  const others = findOthersActing(situation);
  if (others !== undefined) return { kind: 'leave', why: others };
  const { maintenance, masterForMs, lastOrderAgeMs, failoverTimeMs } = situation;
  if (maintenance !== undefined) return { kind: 'refuse', end: 'maintenance', why: maintenance };
  const forMs = failoverTimeMs - Math.min(masterForMs, lastOrderAgeMs ?? masterForMs);
  const tooSoon = `its shard changed masters less than ${failoverTimeMs / 1_000} s ago`;
  if (forMs > 0) return { kind: 'refuse', end: 'too-soon', why: tooSoon, forMs };
  const obstacle = findObstacle(situation);
  if (obstacle !== undefined) return { kind: 'wait', ...obstacle };
  return chooseReplica(situation);
}

/** A master that has lost its slots, or that the cluster finds dead, is replaced by the cluster. */
function findOthersActing({ master, recorded, readings }: ClusterCrashSituation): string | undefined {
  if (recorded === 'other') return 'the record does not name it as a master';
  for (const { askedAt, peers } of readings) {
    const peer = peers.find(({ id }) => id === master.id);
    if (peer?.health === 'failed') return `${formatAddress(askedAt)} knows that the cluster finds it dead`;
    if (peer !== undefined && (peer.role !== 'master' || peer.slots === 'none'))
      return `${formatAddress(askedAt)} knows another master of its slots`;
  }
  return undefined;
}

interface Obstacle {
  readonly end: CrashEndKind;
  readonly why: string;
}

function findObstacle(situation: ClusterCrashSituation): Obstacle | undefined {
  const { master, sign, epochForMs, readings } = situation;
  if (epochForMs < electionMs) return { end: 'others-may-act', why: 'an election may be under way in the cluster' };
  const suspecting = findPeer(readings, (peer) => peer.id === master.id && peer.health === 'suspected');
  if (suspecting !== undefined)
    return { end: 'others-may-act', why: `${suspecting} suspects it, so the cluster may begin an election` };
  if (sign.kind === 'refused') return contradictRefusal(sign, situation);
  if (hasMoreKeys(replicasOf(situation), sign.keys)) return undefined;
  return { end: 'no-replica', why: 'no replica has more keys than it' };
}

function contradictRefusal(
  sign: Extract<CrashSign, { kind: 'refused' }>,
  situation: ClusterCrashSituation,
): Obstacle | undefined {
  const { master, readings, bridges } = situation;
  const end = 'contradicted';
  const linked = findPeer(readings, (peer) => peer.id === master.id && peer.link === 'connected');
  if (linked !== undefined) return { end, why: `${linked} is connected to it` };
  const fed = replicasOf(situation).find(({ replication }) => replication?.link !== 'down');
  if (fed !== undefined) return { end, why: `its replica ${formatAddress(fed.askedAt)} is connected to it` };
  const silent = contradictBridges(bridges);
  if (silent !== undefined) return { end: contradictionKind(bridges), why: silent };
  const own = contradictConnection(sign, situation);
  return own === undefined ? undefined : { end: 'unclear', why: own };
}

function findPeer(
  readings: readonly NodeReading[],
  matches: (peer: NodeReading['peers'][number]) => boolean,
): string | undefined {
  const reading = readings.find(({ peers }) => peers.some(matches));
  return reading === undefined ? undefined : formatAddress(reading.askedAt);
}

/** The nodes that replicate it, by their own words. */
function replicasOf({ master, readings }: ClusterCrashSituation): readonly NodeReading[] {
  return readings.filter(({ id, peers }) => peers.some((peer) => peer.id === id && peer.masterId === master.id));
}

/** The replica with the most of the replication stream, as the cluster ranks them, if it can win the election now. */
function chooseReplica(situation: ClusterCrashSituation): CrashDecision {
  const { replicas, readings } = situation;
  const silent = replicas.find((id) => !readings.some((reading) => reading.id === id) && !isFailed(id, readings));
  if (silent !== undefined)
    return { kind: 'wait', end: 'no-replica', why: `its replica ${silent.slice(0, 8)} does not answer` };
  const [best] = replicasOf(situation)
    .filter((replica) => isComplete(replica, situation))
    .sort((a, b) => (b.replication?.offset ?? 0) - (a.replication?.offset ?? 0) || (a.id < b.id ? -1 : 1));
  const none = 'no replica that the cluster would elect is known to have had its data';
  if (best === undefined) return { kind: 'wait', end: 'no-replica', why: none };
  const lacking = describeMissingVotes(best, situation);
  if (lacking !== undefined) return { kind: 'wait', end: 'no-majority', why: lacking };
  return { kind: 'order', target: best.askedAt };
}

function isFailed(node: string, readings: readonly NodeReading[]): boolean {
  return findPeer(readings, ({ id, health }) => id === node && health === 'failed') !== undefined;
}

/** Whether it had the data of the master until the crash. That is stricter than `cluster-replica-validity-factor`. */
function isComplete(
  { id, peers, replication, keys }: NodeReading,
  { sign, closedForMs }: ClusterCrashSituation,
): boolean {
  if (peers.some((peer) => peer.id === id && peer.election === 'never')) return false;
  if (replication?.downForMs === undefined || replication.downForMs > closedForMs + roundingMs) return false;
  return sign.kind === 'refused' || keys > sign.keys;
}

/**
 * The masters with slots elect, and dead ones count: the replica needs a connection to more than half of them, and those must
 * answer. A failed election keeps it from another one for four times cluster-node-timeout.
 */
function describeMissingVotes(
  { peers, askedAt }: NodeReading,
  { master, readings }: ClusterCrashSituation,
): string | undefined {
  const electors = peers.filter(({ role, slots }) => role === 'master' && slots === 'some');
  const votes = electors.filter(({ id, link }) => {
    const own = readings.find((reading) => reading.id === id);
    return id !== master.id && link === 'connected' && own?.replication === undefined && own !== undefined;
  });
  const needed = majorityOf(electors.length);
  if (votes.length >= needed) return undefined;
  return `${formatAddress(askedAt)} reaches ${votes.length} of ${electors.length} masters, and needs ${needed} votes`;
}
