import { type DescribedEnd, toEvidence } from '../../crash/journal.ts';
import type { CrashEnd } from '../../crash/subject.ts';
import { type Address, formatAddress } from '../../model/address.ts';
import type { SentinelView } from '../../model/sentinel.ts';
import type { CrashReplica } from '../plan/crash.ts';

/** The end of a case that is worth a report: what was found, and what was done about it. */
export interface CrashReport extends DescribedEnd {
  readonly name: string;
  /** The Sentinel that was ordered to fail over; undefined where none was, for the reason `why`. */
  readonly sentinel: Address | undefined;
}

/** What the bridge knew at the end of a case, for the journal. */
export function toCrashDetails(
  end: CrashEnd<Address> & { readonly views: readonly SentinelView[]; readonly replicas: readonly CrashReplica[] },
): CrashReport['details'] {
  const { target, views, replicas } = end;
  return {
    ...toEvidence(end),
    ...(target === undefined ? {} : { sentinel: formatAddress(target) }),
    replicas: replicas.map((replica) => ({ ...replica, address: formatAddress(replica.address) })),
    sentinels: views.map((view) => ({
      sentinel: formatAddress(view.sentinel),
      link: view.linked ? 'up' : 'down',
      condition: view.condition,
    })),
  };
}
