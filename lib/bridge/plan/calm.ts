import { type Address, isIn, sameAddress } from '../../model/address.ts';
import type { Opinion } from '../../model/check-opinion.ts';
import type { Lag } from '../../model/lag.ts';
import { masterChecks } from '../../model/master-check.ts';
import type { MasterRecord } from '../../model/record.ts';
import type { SentinelView } from '../../model/sentinel.ts';

export interface CalmSituation {
  /** As Consul holds it; undefined if there is none. */
  readonly record: MasterRecord | undefined;
  /** The last opinion of the master. */
  readonly opinion: Pick<Opinion, 'code'> | undefined;
  /** One for each Sentinel that answered when all were asked last. */
  readonly views: readonly SentinelView[];
  readonly knownSentinels: number;
  /** Every node of this master that any Sentinel has named. */
  readonly members: readonly Address[];
  /** The known lag of each replica of the record. */
  readonly lags: readonly (Lag | undefined)[];
  /** How many problems and second masters there are. */
  readonly problems: number;
}

/**
 * Whether a hint comes with all that may happen to a master, so that it need not be read so often. Nothing reports the end of a
 * server that Sentinels do not watch or do not reach, what a Sentinel that does not answer decides, or the end of a problem.
 */
export function isCalm(situation: CalmSituation): boolean {
  const { record, opinion, views, knownSentinels, members, lags, problems } = situation;
  if (record === undefined || opinion?.code !== masterChecks.up.code || problems > 0) return false;
  if (views.length < knownSentinels || !views.every(({ master }) => sameAddress(master, record.master))) return false;
  const { previous } = record;
  const known = [record.master, ...views.flatMap(({ replicas }) => replicas.map(({ address }) => address))];
  if (![...members, ...(previous === null ? [] : [previous])].every((address) => isIn(known, address))) return false;
  return lags.every((lag) => lag !== undefined && lag.bytes !== null);
}
