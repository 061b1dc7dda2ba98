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
 * The newest failover under way that is newer than `known`, according to the Sentinel that leads it.
 *
 * The leader's state, read back, must show that it is failing over and promotes this replica. The epoch is the one that
 * the leader announced when it began. Once it has seen the promotion, its config-epoch is that epoch too; before that,
 * its config-epoch is that of the old master.
 */
export function newestPromotion(views: readonly SentinelView[], known: MasterRecord): Promotion | undefined {
  return views
    .map(promotionOf)
    .filter((promotion) => promotion !== undefined)
    .filter(({ epoch }) => epoch > known.epoch)
    .toSorted((a, b) => b.epoch - a.epoch)[0];
}

/** The replicas of the new master: the other replicas, and the old master. */
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
