import type { MaintenanceScope } from './maintenance.ts';
import { keyPrefix, keySafe, type Naming, nameInKey } from './naming.ts';

/** Begins every key of maintenance: that of all masters, and below it one for each master. */
export function maintenancePrefix(naming: Naming): string {
  return `${keyPrefix(naming)}maintenance`;
}

/** The key of the maintenance of a master; `null` for that of all masters. */
export function maintenanceKey(naming: Naming, scope: MaintenanceScope): string {
  const prefix = maintenancePrefix(naming);
  return scope === null ? prefix : `${prefix}/${keySafe(scope)}`;
}

/** Whose maintenance a key is: that of a master, or `null` for all masters. undefined where it is none. */
export function maintenanceScope(naming: Naming, key: string): MaintenanceScope | undefined {
  const prefix = maintenancePrefix(naming);
  if (key === prefix) return null;
  return key.startsWith(`${prefix}/`) && key.length > prefix.length + 1
    ? nameInKey(key.slice(prefix.length + 1))
    : undefined;
}
