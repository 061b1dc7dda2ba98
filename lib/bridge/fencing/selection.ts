import { type Address, isIn, sameAddress } from '../../model/address.ts';
import type { MasterRecord } from '../../model/record.ts';
import type { Selection } from '../observe/election.ts';

/**
 * The master whose writes must wait, when a Sentinel reports that it was elected and selected a replica to replace it;
 * undefined where the report is about another master than the record's.
 *
 * Sentinel promotes the replica at its next timer tick, up to 100 ms later; by then the replica must have every
 * acknowledged write. So the bridge does not read the Sentinel's state back first, as it does for everything else: the
 * answer would have to wait for all other answers in front of it. The Sentinel itself publishes the message (clients cannot
 * publish there), and a message that comes late costs half a second without writes, and no data. Where the Sentinel has said
 * before that the failover is coordinated, the master itself pauses its writes, and later than that.
 */
export function masterToPause(
  selection: Selection,
  known: {
    readonly record: MasterRecord | undefined;
    /** Every node of this master that any Sentinel has listed. */
    readonly members: readonly Address[];
  },
): Address | undefined {
  const { record, members } = known;
  if (selection.isCoordinated === true) return undefined;
  if (record === undefined || selection.epoch <= record.epoch) return undefined;
  if (!sameAddress(selection.replaced, record.master) || !isIn(members, selection.selected)) return undefined;
  return sameAddress(selection.selected, record.master) ? undefined : record.master;
}
