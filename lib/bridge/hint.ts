import type { Hint, TimerHint } from '../loop/hint.ts';
import { type Address, formatAddress, sameAddress } from '../model/address.ts';
import type { MasterRecord } from '../model/record.ts';
import type { RoleAnswer, SentinelEvent } from '../model/sentinel.ts';
import type { SentinelReading } from './observe/sentinel-reading.ts';

/** What wakes the bridge for one master. */
export type BridgeHint = ChangeHint | AnnouncementHint | RebaseHint;

/** Something changed; the bridge reads what it is. */
interface ChangeHint extends Hint {
  readonly kind?: undefined;
  /** See {@link saysRecorded}. Default: it does not. */
  readonly isRecorded?: boolean;
}

/** A replica began or ceased to replicate from the record's master. */
export const replicationChanged = 'replication changed';

const afterPromotion =
  /^(\+promoted-slave|\+failover-state-reconf-slaves|\+failover-end|\+slave-reconf-\w+|[+-]role-change)$/;

/**
 * Whether a Sentinel's message says what the record has already, because the bridge has seen the promotion. Nothing is urgent then: a
 * majority that has announced the new master confirms the record.
 */
export function saysRecorded(
  { event, target }: Pick<SentinelEvent, 'event' | 'target'>,
  record: Pick<MasterRecord, 'master' | 'phase'> | undefined,
): boolean {
  if (record === undefined) return false;
  if (event === '+switch-master') return target !== undefined && sameAddress(target, record.master);
  return record.phase === 'promoted' && afterPromotion.test(event);
}

/** Consul holds something else of this master. */
export const consulChanged = { source: 'consul', event: 'changed' } as const;

/** The same, with whether that is the record of a promotion, which is confirmed soon. */
export function consulChange(held: { readonly record: Pick<MasterRecord, 'phase'> } | undefined) {
  return { ...consulChanged, isRecorded: held?.record.phase === 'promoted' };
}

/** Consul was read for the first time, or is out of reach, or in reach again. */
export const consulAnswers = { source: 'consul', event: 'answers' } as const;

/** A Sentinel announced a new master, or the replica that it selected became one. */
export interface AnnouncementHint extends Hint {
  readonly kind: 'announcement';
  /** The Sentinel to read first. */
  readonly sentinel: Address;
  /** The address to ask for its ROLE first. It counts only if the Sentinel's state, read back, names it too. */
  readonly target: Address | undefined;
  /** What both answered just now, where the source of the hint has asked them. */
  readonly answers?: FreshAnswers;
}

/** The answers of a Sentinel and of a Redis that were asked at about the same time. */
export interface FreshAnswers {
  readonly readings: Promise<readonly SentinelReading[]>;
  readonly role: RoleAnswer | Promise<RoleAnswer>;
  /** How long they count: milliseconds of `performance.now()`. */
  readonly untilMs: number;
}

interface RebaseHint extends Hint, RebaseRequest {}

/** An operator asks for a new generation. */
export interface RebaseRequest {
  readonly kind: 'rebase-requested';
  /** When the request ends: milliseconds of `performance.now()`. */
  readonly untilMs: number;
}

export function isAnnouncement(hint: BridgeHint | TimerHint): hint is AnnouncementHint {
  return hint.kind === 'announcement';
}

/** The last announcement of each Sentinel. */
export function latestBySentinel(announcements: readonly AnnouncementHint[]): readonly AnnouncementHint[] {
  return [...new Map(announcements.map((hint) => [formatAddress(hint.sentinel), hint])).values()];
}
