import type { ConsulClient } from '../../client/consul.ts';
import { activeAt, type MaintenanceScope, trackMaintenance } from '../../model/maintenance.ts';
import { maintenancePrefix, maintenanceScope } from '../../model/maintenance-keys.ts';
import type { Naming } from '../../model/naming.ts';
import { isMarkerKey } from '../../model/records.ts';
import type { ExaminedConsul } from '../examination.ts';

const timeoutMs = 3_000;

/** The maintenance that is on now. Returns undefined if the token may not read it. */
export async function readMaintenance(client: ConsulClient, naming: Naming): Promise<ExaminedConsul['maintenance']> {
  const query = { kind: 'key-tree', prefix: maintenancePrefix(naming) } as const;
  const entries = await client.read(query, { timeoutMs }).then(
    ({ value }) => value,
    () => undefined,
  );
  if (entries === undefined) return undefined;
  const values = new Map<MaintenanceScope, string>();
  for (const { key, value } of entries) {
    const scope = isMarkerKey(key) ? undefined : maintenanceScope(naming, key);
    if (scope !== undefined) values.set(scope, value);
  }
  const nowMs = performance.now();
  const all = trackMaintenance(new Map(), values, { nowMs, wallMs: Date.now() });
  return [...activeAt(all, nowMs)].map(([scope, maintenance]) => ({ scope, maintenance }));
}
