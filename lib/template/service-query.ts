import type { ServiceInstance } from '../model/catalog.ts';
import { templateFailure } from './helper.ts';

/** The state of an instance as in consul-template: maintenance, or else the worst of its checks. */
export type InstanceStatus = 'passing' | 'warning' | 'critical' | 'maintenance';

export interface ServiceQuery {
  readonly name: string;
  readonly tag: string | undefined;
  readonly dc: string | undefined;
  readonly statuses: ReadonlySet<InstanceStatus>;
}

const statuses: readonly InstanceStatus[] = ['passing', 'warning', 'critical', 'maintenance'];
const form = /^(?:([\w=:.\-_/]+)\.)?([\w/:\-_]+)(?:@([\w.\-_]+))?(~[\w.\-_]+)?(?:\|([\w,\s]+))?$/;

/**
 * Reads `tag.name@dc|passing,warning` as consul-template does (its dependency/health_service.go): only passing
 * instances unless a filter says otherwise; `any` is every state.
 */
export function parseServiceQuery(text: string): ServiceQuery {
  const match = form.exec(text);
  if (match === null) throw templateFailure(`"${text}" is not "tag.name@datacenter|filter".`);
  const [, tag, name = '', dc, near, filter] = match;
  if (near !== undefined) throw templateFailure('"~near" is not supported: output order is always stable.');
  return { name, tag, dc, statuses: parseFilter(filter) };
}

export function selectInstances(
  instances: readonly ServiceInstance[],
  query: ServiceQuery,
): readonly ServiceInstance[] {
  return instances.filter(
    (instance) =>
      (query.tag === undefined || instance.tags.includes(query.tag)) && query.statuses.has(statusOf(instance)),
  );
}

/** As Consul's `HealthChecks.AggregatedStatus` (api/health.go). */
export function statusOf(instance: ServiceInstance): InstanceStatus {
  let worst: InstanceStatus = 'passing';
  for (const check of instance.checks) {
    if (check.id === '_node_maintenance' || check.id.startsWith('_service_maintenance:')) return 'maintenance';
    if (check.status === 'critical') worst = 'critical';
    else if (check.status === 'warning' && worst === 'passing') worst = 'warning';
  }
  return worst;
}

function parseFilter(filter: string | undefined): ReadonlySet<InstanceStatus> {
  if (filter === undefined) return new Set(['passing']);
  const chosen = new Set<InstanceStatus>();
  for (const word of filter.split(',').map((part) => part.trim())) {
    if (word === 'any') return new Set(statuses);
    const status = statuses.find((one) => one === word);
    if (status === undefined) throw templateFailure(`"${word}" is no state: use ${statuses.join(', ')} or any.`);
    chosen.add(status);
  }
  return chosen;
}
