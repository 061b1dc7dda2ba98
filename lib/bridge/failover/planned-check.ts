import { type Address, distinctAddresses, formatAddress, isIn, sameAddress } from '../../model/address.ts';
import type { MaintenanceVerdict } from '../../model/maintenance.ts';
import type { MasterRecord } from '../../model/record.ts';
import type { ReplicaView, SentinelView } from '../../model/sentinel.ts';
import { hasMajority } from '../plan/vote.ts';

/** What the bridge checks before a planned failover. */
export interface PlannedSituation {
  readonly record: MasterRecord | undefined;
  readonly views: readonly SentinelView[];
  readonly knownSentinels: number;
  /** How long ago the record changed, in milliseconds. */
  readonly recordAgeMs: number;
  /** The replica that shall become master. If undefined, Sentinel chooses. */
  readonly successor: Address | undefined;
  /** The master when the failover was ordered; undefined if there was no record. */
  readonly from: Address | undefined;
  /** Why Consul is out of reach, if it is: the bridge could not record the promotion there. */
  readonly consulOutage: string | undefined;
  readonly maintenance: MaintenanceVerdict;
}

export type PlannedCheck =
  /** Sentinel could select any of `candidates`, and nothing else. Each of them must have all of the master's data first. */
  | { readonly kind: 'ready'; readonly record: MasterRecord; readonly candidates: readonly Address[] }
  /** Not yet: Sentinel could also select one of `unsettled`, which a Sentinel does not see in sync; or one has old knowledge. */
  | {
      readonly kind: 'unsettled';
      readonly candidates: readonly Address[];
      readonly unsettled: readonly Address[];
      readonly why: string;
    }
  /** Not yet: the obstacle usually disappears by itself. */
  | { readonly kind: 'waiting'; readonly why: string }
  | { readonly kind: 'refused'; readonly why: string };

/** By then every Sentinel that works has read INFO from each node: it does so every 10 s. */
const infoAgeMs = 20_000;

/** Whether a planned failover may start: the Sentinels agree, no failover is under way, and a replica is in sync. */
export function checkPlanned(situation: PlannedSituation): PlannedCheck {
  const { record, views, successor } = situation;
  const refusal = findRefusal(situation);
  if (refusal !== undefined) return { kind: 'refused', why: refusal };
  const obstacle = findObstacle(situation);
  if (obstacle !== undefined || record === undefined) return waiting(obstacle ?? 'it has no record yet');
  const selectable = listed(views).filter((address) => mayBecomeSelectable(address, views));
  const candidates = selectable.filter((address) => isUp(address, views));
  const unsettled = selectable.filter((address) => !isUp(address, views));
  if (!isWanted(successor, selectable)) return waiting(describeMissing(successor, { candidates, views }));
  if (unsettled.length > 0) {
    const seen = unsettled.map((address) => describe(address, views)).join('; ');
    const why = `Sentinel could select a replica that is not in sync: ${seen}`;
    return { kind: 'unsettled', candidates, unsettled, why };
  }
  if (views.length < situation.knownSentinels && situation.recordAgeMs < infoAgeMs) {
    const why = 'a Sentinel cannot be read, and may not have adopted the last failover yet';
    return { kind: 'unsettled', candidates, unsettled, why };
  }
  return { kind: 'ready', record, candidates };
}

/** Why a planned failover cannot start, now or later; undefined if it may. */
function findRefusal(situation: PlannedSituation): string | undefined {
  const { record, views, successor, from, consulOutage, maintenance } = situation;
  if (consulOutage !== undefined) return `Consul cannot be reached: ${consulOutage}`;
  // An operator who names a replica knows about the maintenance.
  if (maintenance.kind === 'on' && successor === undefined)
    return `${maintenance.why}; name the replica (--replica), or end it (switchmaster maintenance off)`;
  if (record === undefined) return undefined;
  if (from !== undefined && !sameAddress(from, record.master))
    return `its master changed from ${formatAddress(from)} to ${formatAddress(record.master)} since the order`;
  if (successor !== undefined && sameAddress(successor, record.master))
    return `${formatAddress(successor)} is its master already`;
  const replicas = [...listed(views), ...record.replicas];
  const isUnlisted = successor !== undefined && !isIn(replicas, successor);
  return views.length > 0 && isUnlisted ? describeMissing(successor, { candidates: listed(views), views }) : undefined;
}

/** What a planned failover waits for, independent of the replicas; undefined if nothing prevents it. */
function findObstacle({ record, views, knownSentinels, maintenance }: PlannedSituation): string | undefined {
  if (maintenance.kind === 'unread') return maintenance.why;
  if (record === undefined) return 'it has no record yet';
  if (record.phase !== 'confirmed') return `its failover of epoch ${record.epoch} is not confirmed yet`;
  const { master, epoch } = record;
  if (!hasMajority({ master, configEpoch: epoch }, { views, knownSentinels })) {
    const answered = `${views.length} of ${knownSentinels} Sentinels answered`;
    return `no majority of the Sentinels agrees on ${formatAddress(master)} at epoch ${epoch} (${answered})`;
  }
  const disturbed = views.find((view) => view.condition !== 'up');
  if (disturbed === undefined) return undefined;
  return `the Sentinel ${formatAddress(disturbed.sentinel)} says that the master is ${disturbed.condition}`;
}

function isWanted(successor: Address | undefined, addresses: readonly Address[]): boolean {
  return successor === undefined ? addresses.length > 0 : isIn(addresses, successor);
}

/** Every replica that a Sentinel lists, once. */
function listed(views: readonly SentinelView[]): readonly Address[] {
  return distinctAddresses(views.flatMap(({ replicas }) => replicas.map(({ address }) => address)));
}

/**
 * More than `isSelectable` of the model: until the order arrives, a Sentinel may connect to a replica or read its INFO, and
 * the replica's link may come up. A replica that it sees down, or that has priority 0, stays out.
 */
function mayBecomeSelectable(address: Address, views: readonly SentinelView[]): boolean {
  return seenBy(address, views).some(({ condition, priority }) => condition !== 's_down' && priority !== 0);
}

/**
 * A Sentinel sees a replica up only after an INFO in which that replica reported its role and its link. A former master's
 * INFO from before its demotion reports the role master: with that, the Sentinel would convert it when it is promoted.
 */
function isUp(address: Address, views: readonly SentinelView[]): boolean {
  return seenBy(address, views).every(({ condition }) => condition === 'up');
}

function seenBy(address: Address, views: readonly SentinelView[]): readonly ReplicaView[] {
  return views.flatMap(({ replicas }) => replicas).filter((replica) => sameAddress(replica.address, address));
}

function describe(address: Address, views: readonly SentinelView[]): string {
  const seen = seenBy(address, views);
  const conditions = new Set(seen.map(wordOf));
  return `${formatAddress(address)} is ${[...conditions].join(' or ')} by the Sentinels`;
}

function wordOf({ condition, priority }: ReplicaView): string {
  if (priority === 0) return 'of priority 0 (never promoted)';
  return condition === 'master' ? 'still master (from an INFO of up to 10 s ago)' : condition;
}

function describeMissing(
  successor: Address | undefined,
  { candidates, views }: { readonly candidates: readonly Address[]; readonly views: readonly SentinelView[] },
): string {
  if (successor !== undefined) {
    const list = candidates.map(formatAddress).join(', ') || 'none';
    if (seenBy(successor, views).length > 0) return `${describe(successor, views)} (up and in sync are: ${list})`;
    return `${formatAddress(successor)} is not a replica that is up and in sync (those are: ${list})`;
  }
  const seen = listed(views).map((address) => describe(address, views));
  const details = seen.length === 0 ? 'they list none' : seen.join('; ');
  return `no replica is up and in sync by the Sentinels (${details})`;
}

function waiting(why: string): PlannedCheck {
  return { kind: 'waiting', why };
}
