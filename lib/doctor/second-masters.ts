import { sameAddress } from '../model/address.ts';
import type { ObservedSecondMaster } from '../model/judgement/second-masters.ts';
import { describeMaintenance } from '../model/maintenance.ts';
import type { MasterRecord } from '../model/record.ts';
import { isReportedMaster, isSecondMaster, whyLeft } from '../model/second-master.ts';
import type { Examination, ExaminedMaster } from './examination.ts';

type Known = Pick<Examination, 'fence'> & { readonly consul: Pick<Examination['consul'], 'maintenance'> };

/** The doctor reads once, so it does not know since when, and whether the writes are paused. */
export function secondMastersOf(
  { name, opinions, instances }: ExaminedMaster,
  { record, examination }: { readonly record: MasterRecord; readonly examination: Known },
): readonly ObservedSecondMaster[] {
  const why = whyLeft(examination.fence ?? 'demote', maintenanceOf(name, examination)) ?? null;
  return instances
    .filter(({ address, role }) => (role === undefined ? isReportedMaster(address, opinions) : role === 'master'))
    .filter(({ address }) => isSecondMaster(address, { record, views: opinions }))
    .map(({ address }) => {
      const isListed = opinions.some(({ replicas }) => replicas.some((one) => sameAddress(one.address, address)));
      const state = isListed ? (why === null ? 'open' : 'left') : 'unlisted';
      return { address, state, why, since: null };
    });
}

/** The maintenance of the master itself counts before that of all masters. */
function maintenanceOf(name: string, { consul: { maintenance = [] } }: Known): string | undefined {
  const found = [name, null].flatMap((wanted) => maintenance.filter(({ scope }) => scope === wanted));
  return found[0] && describeMaintenance(found[0]);
}
