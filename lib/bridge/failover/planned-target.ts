import { type Address, formatAddress, isIn, sameAddress } from '../../model/address.ts';
import type { MasterRecord } from '../../model/record.ts';
import type { Election } from '../../model/sentinel.ts';

/** Why `to` is another failover than the one that was ordered, or has another target; undefined if it is that one. */
export function findWrongTarget(
  to: MasterRecord,
  ordered: {
    readonly before: MasterRecord;
    readonly election: Election | undefined;
    readonly candidates: readonly Address[];
    readonly successor: Address | undefined;
  },
): string | undefined {
  const { before, election, candidates, successor = election?.selected } = ordered;
  const isOther = election === undefined ? to.generation !== before.generation : to.epoch !== election.epoch;
  if (isOther) return `another failover came first: ${describeRecord(to)}`;
  const isTarget = isIn(candidates, to.master) && (successor === undefined || sameAddress(to.master, successor));
  return isTarget ? undefined : `Sentinel promoted another replica: ${describeRecord(to)}`;
}

export function describeRecord({ master, generation, epoch }: MasterRecord): string {
  return `the record names ${formatAddress(master)} (generation ${generation}, epoch ${epoch})`;
}
