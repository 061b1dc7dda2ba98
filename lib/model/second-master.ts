import { type Address, formatAddress, sameAddress } from './address.ts';
import type { MasterRecord } from './record.ts';
import type { SentinelView } from './sentinel.ts';

/**
 * A server of a master that answers as a master itself, beside the one of the record.
 * `open`: it takes writes. `paused`: its writes wait. `left`: it takes writes, and the settings or a maintenance leave it to
 * Sentinel. `unlisted`: it takes writes, and no Sentinel lists it as a server of this master, so it may have another use.
 */
export const secondMasterStates = ['open', 'paused', 'left', 'unlisted'] as const;

export interface SecondMaster {
  readonly address: Address;
  readonly state: (typeof secondMasterStates)[number];
  /** Why it is not fenced, where something is known about that. */
  readonly why: string | null;
}

const consequences: Readonly<Record<SecondMaster['state'], string>> = {
  open: 'what clients write there is lost when it becomes a replica',
  paused: 'its writes wait until it is a replica',
  left: 'what clients write there is lost when Sentinel makes it a replica',
  unlisted:
    'no Sentinel lists it, so it may have another use; if it has none, what clients write there is lost, and nothing makes it a replica',
};

/** A sentence that stays the same as long as the state does. */
export function describeSecondMaster({ address, state, why }: SecondMaster, master: Address): string {
  const because = why === null ? '' : ` (${why.trim().replace(/\.$/, '')})`;
  return `${formatAddress(address)} answers as a master beside ${formatAddress(master)}: ${consequences[state]}${because}`;
}

/**
 * Whether a server that answers as a master is one too many. A server that a failover promotes is not, nor one that a Sentinel
 * names as the master. Before Sentinel confirms a promotion only the former master is.
 */
export function isSecondMaster(
  address: Address,
  known: {
    readonly record: Pick<MasterRecord, 'master' | 'epoch' | 'phase' | 'previous'>;
    readonly views: readonly Pick<SentinelView, 'master' | 'configEpoch' | 'condition'>[];
  },
): boolean {
  const { record, views } = known;
  if (sameAddress(address, record.master)) return false;
  const isNamed = views.some((view) => view.configEpoch >= record.epoch && sameAddress(view.master, address));
  if (isNamed) return false;
  if (record.phase === 'promoted') return record.previous !== null && sameAddress(address, record.previous);
  return views.every(({ condition }) => condition !== 'failover');
}

/** Why the bridge leaves second masters to Sentinel; undefined where it does not. */
export function whyLeft(fence: 'demote' | 'pause' | 'none', maintenance: string | undefined): string | undefined {
  return fence === 'none' ? 'sentinel.fence is none' : maintenance;
}

/** Whether most of the Sentinels that list a server have read from it that it is a master. */
export function isReportedMaster(address: Address, views: readonly Pick<SentinelView, 'replicas'>[]): boolean {
  const seen = views.flatMap(({ replicas }) => replicas.filter((replica) => sameAddress(replica.address, address)));
  return seen.filter(({ condition }) => condition === 'master').length * 2 > seen.length;
}
