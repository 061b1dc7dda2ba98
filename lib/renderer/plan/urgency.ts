import { formatAddress } from '../../model/address.ts';
import type { KvEntry } from '../../model/catalog.ts';
import { masterService, saysWhoIsMaster } from '../../model/naming.ts';
import type { ConsulQuery } from '../../model/query.ts';
import { readRecords } from '../../model/records.ts';
import type { GoodRendering, ProvenRendering } from './rendering.ts';

/** A change of master does not queue, and the renderer never rolls it back to the old master. */
export type Urgency = 'master-change' | 'ordinary';

/** Whether the answer to a query says who is master. Changes of such answers are not debounced. */
export function namesMasters(query: ConsulQuery): 'masters' | 'other' {
  switch (query.kind) {
    case 'key-tree':
      return saysWhoIsMaster(query.prefix) ? 'masters' : 'other';
    case 'key':
      return saysWhoIsMaster(query.key) ? 'masters' : 'other';
    case 'service':
      return query.service === masterService ? 'masters' : 'other';
    default:
      return 'other';
  }
}

/** `host:port` of each master by the records below `prefix`. Values that are no records are left out. */
export function mastersOf(entries: readonly KvEntry[], prefix: string): ReadonlyMap<string, string> {
  return new Map(readRecords(entries, prefix).records.map(({ name, master }) => [name, formatAddress(master)]));
}

/** `master-change` when a master has another address than in the last proven text. New and removed masters are ordinary. */
export function urgencyOf(
  proven: Pick<ProvenRendering, 'masters'> | undefined,
  rendering: Pick<GoodRendering, 'masters'>,
): Urgency {
  if (proven === undefined) return 'ordinary';
  const moved = [...rendering.masters].some(([name, address]) => {
    const before = proven.masters.get(name);
    return before !== undefined && before !== address;
  });
  return moved ? 'master-change' : 'ordinary';
}
