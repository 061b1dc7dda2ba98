/** The folders of keys below `redis/`, or below that of an environment. */
export const topFolders: readonly string[] = [
  'record',
  'master',
  'cluster',
  'desired',
  'provisioned',
  'steering',
  'rolling',
  'crash',
  'maintenance',
];

/** In an environment of this name, keys would lie among those of daemons without an environment. */
export function isTopFolder(environment: string): boolean {
  return topFolders.includes(environment);
}

/**
 * The watch and the ACL rule of maintenance are for every key that begins with `redis/maintenance`, and so for all keys of an
 * environment called `maintenance-eu`.
 */
export function beginsMaintenanceKeys(environment: string): boolean {
  return environment.startsWith('maintenance') && !isTopFolder(environment);
}
