import type { MaintenanceState } from '../../http/views.ts';
import { makeReason, type Reason } from '../../model/health.ts';

/** Notes about maintenance. One that concerns only masters of other nodes is theirs to show. */
export function judgeMaintenance(
  maintenance: readonly MaintenanceState[],
  masters: readonly { readonly name: string }[],
): readonly Reason[] {
  const followed = new Set(masters.map(({ name }) => name));
  return maintenance
    .filter(({ state, master }) => state === 'on' && (master === null || followed.has(master)))
    .map(({ master, problem, text }) =>
      makeReason({
        code: problem === null ? 'maintenance' : 'maintenance-unreadable',
        subject: master === null ? { kind: 'part', name: 'bridge' } : { kind: 'master', name: master },
        text,
      }),
    );
}
