import { type Address, formatAddress, sameAddress } from '../model/address.ts';
import type { MasterRecord } from '../model/record.ts';
import type { SentinelView } from '../model/sentinel.ts';
import type { Trouble } from '../model/trouble.ts';

/** What is known of one master at a moment. */
export interface TroubleSituation {
  readonly record: MasterRecord | undefined;
  /** One for each Sentinel that was heard last. */
  readonly views: readonly SentinelView[];
  /** Who does not let the bridge in, in its own words. */
  readonly refusals: readonly { readonly address: Address; readonly says: string }[];
  /** What the bridge waits for. */
  readonly held: string | undefined;
}

/** What is wrong with a master and should be seen to, sorted so that the same troubles are always told alike. */
export function findTroubles({ record, views, refusals, held }: TroubleSituation): readonly Trouble[] {
  return [
    ...(held === undefined ? [] : [{ kind: 'held', message: held } as const]),
    ...disagreement(record, views),
    ...refusals.map(({ address, says }) => ({ kind: 'redis-denied', message: tellRefusal(address, says) }) as const),
  ].toSorted((a, b) => (`${a.kind} ${a.message}` < `${b.kind} ${b.message}` ? -1 : 1));
}

/** Between a promotion and its confirmation the Sentinels name the old master: that is as it should be. */
function disagreement(record: MasterRecord | undefined, views: readonly SentinelView[]): readonly Trouble[] {
  if (record === undefined || record.phase === 'promoted') return [];
  const others = views.filter(({ master }) => !sameAddress(master, record.master));
  if (others.length === 0) return [];
  const said = others
    .map(({ sentinel, master }) => `${formatAddress(sentinel)} names ${formatAddress(master)}`)
    .toSorted();
  const message = `${others.length} of ${views.length} Sentinels name another master than the record: ${said.join(', ')}`;
  return [{ kind: 'sentinels-disagree', message }];
}

function tellRefusal(address: Address, says: string): string {
  const wayOut = says.startsWith('NOPERM')
    ? 'give the user of sentinel.redis the rules of docs/reference/redis-acl.md'
    : 'sentinel.redis.passwordFile (and username) must be what it takes';
  return `Redis ${formatAddress(address)} does not let the bridge in (${says.trim()}): its role is unknown and it cannot be fenced; ${wayOut}`;
}
