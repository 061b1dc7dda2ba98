import { commandToEnd, describeMaintenance } from '../../model/maintenance.ts';
import { type Rule, rule } from '../rule.ts';

/** Maintenance that somebody may have forgotten. */
export const maintenanceRules: readonly Rule[] = [
  rule({
    name: 'maintenance',
    severity: 'warning',
    hint: 'End it when the work is done.',
    reads: ['consul', 'masters'],
    find: ({ consul: { maintenance = [] }, masters }) =>
      maintenance
        .filter(({ scope }) => scope === null || masters.some(({ name }) => name === scope))
        .map((found) => ({
          subject: found.scope ?? 'consul',
          text: `${describeMaintenance(found)}. Bridges order nothing about it: no failover after a crash, no fence`,
          hint: `When the work is done: ${commandToEnd(found.scope)}`,
        })),
  }),
];
