import { type Address, formatAddress, isIn, sameAddress } from '../../model/address.ts';
import type { SentinelView } from '../../model/sentinel.ts';
import { newestKnown, type Situation } from './decision.ts';
import { hasMajority } from './vote.ts';

/*
 * Which addresses can become master. An election promotes a replica, and all Sentinels list the same replicas. A Sentinel
 * that names an address that neither the record nor another Sentinel knows monitors something else by the same name, or
 * somebody set its master by hand. It alone does not change the record, whatever its epoch; a majority does.
 */

/** Whether the record, or another Sentinel than the one that names it, knows `address` as a node of this master. */
export function isMember(address: Address, by: SentinelView, situation: Situation): boolean {
  const known = newestKnown(situation);
  if (known === undefined) return true;
  const recorded = [known.master, ...known.replicas, ...(known.previous === null ? [] : [known.previous])];
  return (
    isIn(recorded, address) ||
    situation.views.some(
      ({ sentinelId, replicas }) =>
        sentinelId !== by.sentinelId && replicas.some((replica) => sameAddress(replica.address, address)),
    )
  );
}

/** Whether a Sentinel without a majority names an unknown master at a newer epoch than the record's. */
export function isUnlisted(view: SentinelView, situation: Situation): boolean {
  const known = newestKnown(situation);
  if (known === undefined || view.configEpoch <= known.epoch) return false;
  return !isMember(view.master, view, situation) && !hasMajority(view, situation);
}

/** A sentence about the Sentinels whose views do not count; undefined if there are none. */
export function describeUnlisted(situation: Situation): string | undefined {
  const unlisted = situation.views.filter((view) => isUnlisted(view, situation));
  if (unlisted.length === 0) return undefined;
  const said = unlisted.map(
    ({ sentinel, master, configEpoch }) =>
      `${formatAddress(sentinel)} names ${formatAddress(master)} at epoch ${configEpoch}`,
  );
  return `ignored: ${said.join(', ')}, which neither the record nor another Sentinel knows as a replica; check what it monitors`;
}
