import type { ServiceInstance } from './catalog.ts';
import { isBridgeNode } from './naming.ts';

/**
 * A critical check that somebody else attached to a service of a bridge, or to its node: maintenance by hand, a monitoring
 * tool. It stays, and DNS leaves out what it concerns.
 */
export interface ForeignCheck {
  readonly node: string;
  readonly id: string;
  /** The ids of the services that DNS leaves out. */
  readonly services: readonly string[];
}

export function findForeignChecks(instances: readonly ServiceInstance[]): readonly ForeignCheck[] {
  const found = new Map<string, ForeignCheck>();
  for (const { node, nodeMeta, id: service, checks } of instances) {
    if (!isBridgeNode(nodeMeta)) continue;
    for (const { id, status } of checks) {
      if (status !== 'critical' || id === bridgeCheckId(service)) continue;
      const key = `${node} ${id}`;
      found.set(key, { node, id, services: [...(found.get(key)?.services ?? []), service].toSorted() });
    }
  }
  return [...found.values()];
}

/** The id of the check that a bridge writes for one of its services. */
export function bridgeCheckId(serviceId: string): string {
  return `${serviceId}:sentinel`;
}

export function describeForeignCheck({ node, id, services }: ForeignCheck): string {
  const body = JSON.stringify({ Node: node, CheckID: id });
  return `somebody else's check ${id} on node ${node} is critical, so DNS leaves out ${services.join(' and ')}; if it should not, send ${body} by PUT to /v1/catalog/deregister`;
}
