import { type Address, formatAddress, isIn, sameAddress } from '../../model/address.ts';
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
import type { MasterRecord } from '../../model/record.ts';
import { isSelectable } from '../../model/replica-selection.ts';
import { type ReplicaView, type SentinelView, sentinelDefaults } from '../../model/sentinel.ts';
import { orderableById } from './order-choice.ts';
import { hasMajority } from './vote.ts';

/** A replica of the crashed master, asked by this bridge after the crash. */
export interface CrashReplica {
  readonly address: Address;
  /** Its link to the master, from ROLE; `unanswered` where it does not answer as a replica. */
  readonly link: 'connected' | 'syncing' | 'down' | 'unanswered';
  /** Whether it had the master's data up to the last seconds before the crash. */
  readonly wasInStep: boolean;
  /** Its keys without a time to live; undefined where they were not counted. */
  readonly keys?: number | undefined;
}

export interface CrashSituation {
  /** The master for which the sign was found. */
  readonly master: Address;
  readonly sign: CrashSign;
  readonly crashAfterMs: number;
  readonly nowMs: number;
  readonly record: MasterRecord | undefined;
  /** How long ago the record changed. */
  readonly recordAgeMs: number;
  /** `failed`: after the crash was found, a Sentinel did not get the votes for its failover. */
  readonly election: 'unknown' | 'failed';
  /** How long ago any bridge ordered a failover because of a crash; undefined where none did. */
  readonly lastOrderAgeMs: number | undefined;
  /** Read after the sign was found, one for each Sentinel. */
  readonly views: readonly SentinelView[];
  readonly knownSentinels: number;
  readonly replicas: readonly CrashReplica[];
  readonly bridges: readonly JudgingBridge[];
  /** Why nothing may be ordered about it: it is in maintenance. */
  readonly maintenance: string | undefined;
}

/** With the replicas among which the Sentinel would select. */
export type SentinelCrashDecision =
  | CrashDecision
  | (Extract<CrashDecision, { kind: 'order' }> & { readonly candidates: readonly Address[] });

/** Whether a Sentinel is ordered to fail over, because the process of the master is proven to be gone. See docs/crash.md. */
export function decideCrash(situation: CrashSituation): SentinelCrashDecision {
  const others = findOthersActing(situation);
  if (others !== undefined) return { kind: 'leave', why: others };
  if (situation.maintenance !== undefined) return { kind: 'refuse', end: 'maintenance', why: situation.maintenance };
  const timeoutMs = failoverTimeoutMs(situation);
  const forMs = timeoutMs - sinceFailoverMs(situation);
  const tooSoon = `its last failover was less than failover-timeout (${timeoutMs} ms) ago`;
  if (forMs > 0) return { kind: 'refuse', end: 'too-soon', why: tooSoon, forMs };
  const obstacle = findObstacle(situation);
  if (obstacle !== undefined) return { kind: 'wait', ...obstacle };
  for (const view of orderableById(situation.views)) {
    const candidates = candidatesOf(view, situation);
    if (candidates.length > 0) return { kind: 'order', target: view.sentinel, candidates };
  }
  const why = 'no replica that Sentinel would select is known to have had its data';
  return { kind: 'wait', end: 'no-replica', why };
}

function findOthersActing({ master, record, views, election }: CrashSituation): string | undefined {
  if (record === undefined) return 'it has no record';
  if (!sameAddress(record.master, master)) return `the record names ${formatAddress(record.master)}`;
  if (record.phase !== 'confirmed') return `its failover of epoch ${record.epoch} is not confirmed yet`;
  const isBusy = ({ condition }: SentinelView) =>
    condition === 'failover' || (condition === 'o_down' && election === 'unknown');
  const busy = views.find(isBusy);
  if (busy !== undefined) return `Sentinel ${formatAddress(busy.sentinel)} fails over by itself`;
  const newer = views.find(({ configEpoch }) => configEpoch > record.epoch);
  return newer === undefined ? undefined : `Sentinel ${formatAddress(newer.sentinel)} knows a newer failover`;
}

/** The longest of any Sentinel; 0 before one has answered. */
export function failoverTimeoutMs({ views }: Pick<CrashSituation, 'views'>): number {
  return Math.max(0, ...views.map((view) => view.failoverTimeoutMs ?? sentinelDefaults.failoverTimeoutMs));
}

/** A record without a former master is the first one. */
function sinceFailoverMs({ record, recordAgeMs, lastOrderAgeMs }: CrashSituation): number {
  const never = Number.POSITIVE_INFINITY;
  return Math.min(record === undefined || record.previous === null ? never : recordAgeMs, lastOrderAgeMs ?? never);
}

interface Obstacle {
  readonly end: CrashEndKind;
  readonly why: string;
}

function findObstacle(situation: CrashSituation): Obstacle | undefined {
  const { sign, record, views, knownSentinels } = situation;
  if (record === undefined) return { end: 'others-act', why: 'it has no record' };
  const { master, epoch: configEpoch } = record;
  const starting = findStarting(situation);
  if (starting !== undefined) {
    const why = `Sentinel ${formatAddress(starting.sentinel)} may begin a failover at any moment`;
    return { end: 'others-may-act', why };
  }
  const own = sign.kind === 'refused' ? contradictRefusal(sign, situation) : contradictLoss(sign, situation);
  if (own !== undefined) return own;
  if (hasMajority({ master, configEpoch }, { views, knownSentinels })) return undefined;
  const answered = `${views.length} of ${knownSentinels} answered`;
  return { end: 'no-majority', why: `no majority of the Sentinels names it at epoch ${configEpoch} (${answered})` };
}

/**
 * A Sentinel that sees a master objectively down begins a failover within a tick of its timer, 100 ms, unless it waits: for
 * twice failover-timeout after an election that it lost, or in which it voted (sentinel.c, sentinelStartFailoverIfNeeded).
 */
const settledMs = 2_000;

/** A Sentinel that sees it objectively down, and is not known to wait. */
function findStarting({ views }: CrashSituation): SentinelView | undefined {
  return views.find(({ condition, downForMs = 0 }) => condition === 'o_down' && downForMs < settledMs);
}

/** A process that is gone has no connection left to anybody. */
function contradictRefusal(
  sign: Extract<CrashSign, { kind: 'refused' }>,
  situation: CrashSituation,
): Obstacle | undefined {
  const { views, replicas, bridges } = situation;
  const end = 'contradicted';
  const linked = views.find((view) => view.linked);
  if (linked !== undefined) return { end, why: `Sentinel ${formatAddress(linked.sentinel)} is connected to it` };
  const fed = replicas.find(({ link }) => link === 'connected' || link === 'syncing');
  if (fed !== undefined) return { end, why: `its replica ${formatAddress(fed.address)} is connected to it` };
  const silent = contradictBridges(bridges);
  if (silent !== undefined) return { end: contradictionKind(bridges), why: silent };
  const own = contradictConnection(sign, situation);
  return own === undefined ? undefined : { end: 'unclear', why: own };
}

/** This bridge has asked the process itself, so only the replicas can show that nothing is lost. */
function contradictLoss(
  { keys }: Extract<CrashSign, { kind: 'emptied' }>,
  { replicas }: CrashSituation,
): Obstacle | undefined {
  return hasMoreKeys(replicas, keys) ? undefined : { end: 'no-replica', why: 'no replica has more keys than it' };
}

/**
 * The replicas among which this Sentinel would select: those with the lowest `replica-priority` (sentinel.c,
 * sentinelSelectSlave). None where one of them may lack data, because it could be the one. None also where one of them
 * reported that it is a master in the last INFO: a Sentinel would make it a replica again after its promotion.
 */
function candidatesOf(view: SentinelView, situation: CrashSituation): readonly Address[] {
  const selectable = view.replicas.filter((replica) => isSelectable(replica, view));
  const lowest = Math.min(...selectable.map(priorityOf));
  const first = selectable.filter((replica) => priorityOf(replica) === lowest);
  const replicas = situation.replicas.filter((replica) => isComplete(replica, situation.sign));
  const complete = replicas.map(({ address }) => address);
  const suffices = first.every(({ address, condition }) => condition !== 'master' && isIn(complete, address));
  return suffices ? first.map(({ address }) => address) : [];
}

function isComplete({ link, wasInStep, keys = 0 }: CrashReplica, sign: CrashSign): boolean {
  if (!wasInStep || link === 'unanswered') return false;
  return sign.kind === 'refused' || keys > sign.keys;
}

function priorityOf({ priority = 100 }: ReplicaView): number {
  return priority;
}
