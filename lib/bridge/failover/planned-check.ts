import { type Address, formatAddress, sameAddress } from '../../model/address.ts';
import type { MasterRecord } from '../../model/record.ts';
import type { ReplicaView, SentinelView } from '../../model/sentinel.ts';
import { hasMajority } from '../plan/vote.ts';

/** What the bridge checks before a planned failover. */
export interface PlannedSituation {
  readonly record: MasterRecord | undefined;
  readonly views: readonly SentinelView[];
  readonly knownSentinels: number;
  /** The replica that shall become master. If undefined, Sentinel chooses. */
  readonly successor: Address | undefined;
  /** Why Consul is out of reach, if it is: the bridge could not record the promotion there. */
  readonly consulOutage: string | undefined;
}

export type PlannedCheck =
  /** Sentinel could select any of `candidates`, so each of them must have all of the master's data first. */
  | { readonly kind: 'ready'; readonly record: MasterRecord; readonly candidates: readonly Address[] }
  | { readonly kind: 'refused'; readonly why: string };

/** Whether a planned failover may start: the Sentinels agree, no failover is under way, and a replica is in sync. */
export function checkPlanned(situation: PlannedSituation): PlannedCheck {
  const { record, views, knownSentinels, successor, consulOutage } = situation;
  if (consulOutage !== undefined) return refused(`Consul cannot be reached: ${consulOutage}`);
  if (record === undefined) return refused('it has no record yet');
  if (record.phase !== 'confirmed') return refused(`its failover of epoch ${record.epoch} is not confirmed yet`);
  const { master, epoch } = record;
  if (!hasMajority({ master, configEpoch: epoch }, { views, knownSentinels })) {
    const heard = `${views.length} of ${knownSentinels} Sentinels were heard`;
    return refused(`no majority of the Sentinels agrees on ${formatAddress(master)} at epoch ${epoch} (${heard})`);
  }
  const disturbed = views.find((view) => view.condition !== 'up');
  if (disturbed !== undefined) {
    return refused(`the Sentinel ${formatAddress(disturbed.sentinel)} says that the master is ${disturbed.condition}`);
  }
  const candidates = record.replicas.filter((address) => isUp(address, views));
  if (candidates.length === 0) return refused('no replica is up and in sync by the Sentinels');
  if (successor !== undefined && !candidates.some((address) => sameAddress(address, successor))) {
    const list = candidates.map(formatAddress).join(', ');
    return refused(`${formatAddress(successor)} is not a replica that is up and in sync (those are: ${list})`);
  }
  return { kind: 'ready', record, candidates };
}

function isUp(address: Address, views: readonly SentinelView[]): boolean {
  const seen: readonly ReplicaView[] = views
    .flatMap(({ replicas }) => replicas)
    .filter((replica) => sameAddress(replica.address, address));
  return seen.length > 0 && seen.every(({ condition }) => condition === 'up');
}

function refused(why: string): PlannedCheck {
  return { kind: 'refused', why };
}
