import type { MaintenanceState } from '../http/views.ts';
import { describeMaintenance, isOn, type MaintenanceOfMaster } from '../model/maintenance.ts';

/** Maintenance as the API shows it. */
export function toMaintenanceState(found: MaintenanceOfMaster, nowMs: number): MaintenanceState {
  const { scope, maintenance } = found;
  const { fault: problem, ...note } = maintenance.note;
  return {
    master: scope,
    state: isOn(maintenance, nowMs) ? 'on' : 'ended',
    ...note,
    endsAt: maintenance.endsAt,
    problem,
    text: describeMaintenance(found),
  };
}
