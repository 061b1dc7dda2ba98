import type { Wanted } from '../../../lib/bridge/plan/catalog.ts';
import type { CatalogContents, CatalogOperation, ServiceInstance } from '../../../lib/model/catalog.ts';
import { masterChecks } from '../../../lib/model/master-check.ts';
import type { MasterRecord } from '../../../lib/model/record.ts';

const { up } = masterChecks;
export const nothing: CatalogContents = { keys: new Map(), instances: [] };

export function wanted(content: MasterRecord, changes: Partial<Wanted> = {}): Wanted {
  const replicas = content.replicas.map((address) => ({ address, opinion: up }));
  return { naming: { environment: undefined }, record: content, master: up, replicas, ...changes };
}

/** What an empty catalog holds after these steps. */
export function holdingsAfter(steps: readonly CatalogOperation[]): CatalogContents {
  const keys = new Map<string, { key: string; value: string; modifyIndex: number }>();
  const instances = new Map<string, ServiceInstance>();
  let node = { nodeAddress: '', nodeMeta: {} as Readonly<Record<string, string>> };
  for (const step of steps) {
    if (step.kind === 'kv-set') keys.set(step.key, { key: step.key, value: step.value, modifyIndex: 1 });
    if (step.kind === 'node-set') node = { nodeAddress: step.address, nodeMeta: step.meta };
    if (step.kind === 'service-set') {
      const { node: nodeName, service } = step;
      instances.set(service.id, { ...service, ...node, node: nodeName, datacenter: 'dc1', checks: [] });
    }
    if (step.kind === 'check-set') {
      const held = instances.get(step.check.serviceId);
      if (held !== undefined) instances.set(held.id, { ...held, checks: [...held.checks, step.check] });
    }
  }
  return { keys, instances: [...instances.values()] };
}
