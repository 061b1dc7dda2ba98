import { type Address, formatAddress, isIn, sameAddress } from '../../model/address.ts';
import type { SentinelView } from '../../model/sentinel.ts';
import { newestKnown, type Situation } from './decision.ts';
import { hasMajority } from './vote.ts';

/*
 * Which addresses can become master at all. An election promotes a replica, and all Sentinels list the same replicas:
 * who names an address that nobody else has ever counted among them monitors something else by the same name, or was
 * told another master by hand. One such voice does not move the record, whatever its epoch; a majority does.
 */

/** Whether `address` is a node of this master by the record, or by another Sentinel than the one that names it. */
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

/** A Sentinel that alone, or nearly so, names an unknown master at a newer epoch than the record's. */
export function isStranger(view: SentinelView, situation: Situation): boolean {
  const known = newestKnown(situation);
  if (known === undefined || view.configEpoch <= known.epoch) return false;
  return !isMember(view.master, view, situation) && !hasMajority(view, situation);
}

/** What is wrong with the Sentinels whose word does not count, as a sentence; undefined where there are none. */
export function describeStrangers(situation: Situation): string | undefined {
  const strangers = situation.views.filter((view) => isStranger(view, situation));
  if (strangers.length === 0) return undefined;
  const said = strangers.map(
    ({ sentinel, master, configEpoch }) =>
      `${formatAddress(sentinel)} names ${formatAddress(master)} at epoch ${configEpoch}`,
  );
  return `not believed: ${said.join(', ')}, which is no replica by the record or by any other Sentinel`;
}
