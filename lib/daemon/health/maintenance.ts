import type { MaintenanceState } from '../../http/views.ts';
import { makeReason, type Reason } from '../../model/health.ts';

/** Notes about maintenance. One that concerns only masters or clusters of other nodes is theirs to show. */
export function judgeMaintenance(
  maintenance: readonly MaintenanceState[],
  { masters, clusters }: Readonly<Record<'masters' | 'clusters', readonly { readonly name: string }[]>>,
): readonly Reason[] {
  const has = (list: readonly { readonly name: string }[], name: string) => list.some((one) => one.name === name);
  const subjectOf = (name: string) => ({ kind: has(masters, name) ? 'master' : 'cluster', name }) as const;
  return maintenance
    .filter(({ state, master }) => state === 'on' && (master === null || has(masters, master) || has(clusters, master)))
    .map(({ master, problem, text }) =>
      makeReason({
        code: problem === null ? 'maintenance' : 'maintenance-unreadable',
        subject: master === null ? { kind: 'part', name: 'maintenance' } : subjectOf(master),
        text,
      }),
    );
}
