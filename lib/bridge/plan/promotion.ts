import { type Address, sameAddress } from '../../model/address.ts';
import type { MasterRecord } from '../../model/record.ts';
import type { SentinelView } from '../../model/sentinel.ts';

/** A failover under way whose leader has selected a replica. */
export interface Promotion {
  readonly epoch: number;
  readonly selected: Address;
  /** The leader's view. */
  readonly view: SentinelView;
}

/**
 * The newest failover under way that is newer than `known`, by the word of the Sentinel that leads it.
 *
 * Its state, read back, must say so: it is failing over, and this replica is the one it promotes. The epoch is the one
 * that it announced when it began; from the moment it has seen the promotion, its config-epoch is that epoch as well,
 * and not before: until then its config-epoch is that of the master which is replaced.
 */
export function newestPromotion(views: readonly SentinelView[], known: MasterRecord): Promotion | undefined {
  return views
    .map(promotionOf)
    .filter((promotion) => promotion !== undefined)
    .filter(({ epoch }) => epoch > known.epoch)
    .toSorted((a, b) => b.epoch - a.epoch)[0];
}

/** The replicas that the new master will have: the others, and the old master. */
export function replicasAfter({ selected, view }: Promotion): readonly Address[] {
  const others = view.replicas.map(({ address }) => address).filter((address) => !sameAddress(address, selected));
  return [...others, view.master];
}

function promotionOf(view: SentinelView): Promotion | undefined {
  const { condition, promoting, promotion, election, configEpoch } = view;
  if (condition !== 'failover' || promoting === undefined) return undefined;
  if (sameAddress(promoting, view.master)) return undefined;
  const announced = election !== undefined && sameAddress(election.selected, promoting) ? election.epoch : undefined;
  const epoch = announced ?? (promotion === 'seen' ? configEpoch : undefined);
  return epoch === undefined ? undefined : { epoch, selected: promoting, view };
}
