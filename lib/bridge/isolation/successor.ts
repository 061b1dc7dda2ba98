import { type Address, isIn, sameAddress } from '../../model/address.ts';
import { majorityOf } from '../../model/epoch.ts';
import type { MasterRecord } from '../../model/record.ts';
import type { SentinelView } from '../../model/sentinel.ts';

/** What may show that another server has taken the place of one of this node. */
export interface Evidence {
  /** Every address by which others may know the server of this node. */
  readonly own: readonly Address[];
  /** The last record that named it the master. If its addresses are unknown: the last one from before the silence. */
  readonly before: MasterRecord | undefined;
  /** The newest record. */
  readonly newest: MasterRecord | undefined;
  /** What the Sentinels answered now, and how many there are. */
  readonly views: readonly SentinelView[];
  readonly knownSentinels: number;
}

/** The record to keep as `before`, after the bridge has learned the newest one. */
export function keepRecord(
  { own, before, newest }: Pick<Evidence, 'own' | 'before' | 'newest'>,
  when: 'heard' | 'silent or paused',
): MasterRecord | undefined {
  if (newest === undefined || isIn(own, newest.master)) return newest ?? before;
  return lists(newest, own) || when === 'silent or paused' ? before : newest;
}

/** While writes are paused: any sign counts, because what is acknowledged now could be lost. */
export function findSuccessor(evidence: Evidence): Address | 'being promoted' | undefined {
  const { own, before, newest, views } = evidence;
  const other =
    before === undefined || (!isIn(own, before.master) && lists(before, own))
      ? findUnremembered(evidence)
      : [
          ...views.filter(({ configEpoch }) => configEpoch > before.epoch).map(({ master }) => master),
          ...(newest === undefined ? [] : [newest.master]),
        ].find((master) => !sameAddress(master, before.master) && !isIn(own, master));
  if (other !== undefined) return other;
  return views.some(({ condition }) => condition === 'failover') ? 'being promoted' : undefined;
}

/**
 * While writes are accepted: only a failover that happened after this server was the record's master counts. Neither another name
 * of the server nor a new generation, for which Sentinels that were rebuilt are enough, raises the epoch.
 */
export function findProvenSuccessor(evidence: Evidence): Address | undefined {
  const { own, before, newest, views, knownSentinels } = evidence;
  if (before === undefined || !isIn(own, before.master)) return undefined;
  if (newest !== undefined && newest.generation === before.generation && newest.epoch > before.epoch)
    return isIn(own, newest.master) ? undefined : newest.master;
  const newer = views.filter(({ configEpoch, master }) => configEpoch > before.epoch && !isIn(own, master));
  return newer.length >= majorityOf(knownSentinels) ? newer[0]?.master : undefined;
}

/** Without a record from before: the answers must list this server, and another one as its master. */
function findUnremembered({ own, newest, views, knownSentinels }: Evidence): Address | undefined {
  if (newest !== undefined && !isIn(own, newest.master) && lists(newest, own)) return newest.master;
  const naming = views.filter(
    ({ master, replicas }) => !isIn(own, master) && replicas.some(({ address }) => isIn(own, address)),
  );
  return naming.length >= majorityOf(knownSentinels) ? naming[0]?.master : undefined;
}

/** Whether a record lists a server beside its master, or as the former one. */
function lists({ replicas, previous }: MasterRecord, own: readonly Address[]): boolean {
  return [...replicas, ...(previous === null ? [] : [previous])].some((address) => isIn(own, address));
}
