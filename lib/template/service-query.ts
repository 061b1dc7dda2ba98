import type { ServiceInstance } from '../model/catalog.ts';
import { describeValue, templateFailure } from './helper.ts';

/** The state of an instance as in consul-template: maintenance, or else the worst of its checks. */
export type InstanceStatus = 'passing' | 'warning' | 'critical' | 'maintenance';

export interface ServiceQuery {
  readonly name: string;
  readonly tag: string | undefined;
  readonly dc: string | undefined;
  readonly statuses: ReadonlySet<InstanceStatus>;
}

const statuses: readonly InstanceStatus[] = ['passing', 'warning', 'critical', 'maintenance'];

/**
 * Reads `tag.name@dc|passing,warning` as consul-template does (its dependency/health_service.go): only passing
 * instances unless a filter says otherwise; `any` is every state. Tags and names may have any characters here. A
 * datacenter's name has no dots (agent/config/builder.go).
 */
export function parseServiceQuery(text: string): ServiceQuery {
  const [, unfiltered = '', filter] = /^(.*?)(?:\|([\w,\s]+))?$/s.exec(text) ?? [];
  const [, path = '', dc] = /^(.*?)(?:@([\w-]+))?$/s.exec(unfiltered) ?? [];
  if (/~[\w.-]+$/.test(path)) throw templateFailure('"~near" is not supported: output order is always stable.');
  const dot = path.lastIndexOf('.');
  const name = path.slice(dot + 1);
  if (name === '' || dot === 0) throw templateFailure(`"${text}" is not "tag.name@datacenter|filter".`);
  return { name, tag: dot < 0 ? undefined : path.slice(0, dot), dc, statuses: parseFilter(filter) };
}

/** A name as it is, with the options of a call. */
export function makeServiceQuery(name: string, options: Readonly<Record<string, unknown>>): ServiceQuery {
  const [tag, dc, filter] = ['tag', 'dc', 'filter'].map((option) => textOption(options, option));
  return { name, tag, dc, statuses: parseFilter(filter) };
}

/** The text that means the same, where the name has no dots. */
export function formatServiceQuery(name: string, options: Readonly<Record<string, unknown>>): string {
  const { tag, dc, filter } = options;
  const end = `${dc === undefined ? '' : `@${dc}`}${filter === undefined ? '' : `|${filter}`}`;
  return `${tag === undefined ? '' : `${tag}.`}${name}${end}`;
}

/** The query as the name of one service with dots, in place of a tag and a name. */
export function untag({ tag, name, ...query }: ServiceQuery): ServiceQuery {
  return { ...query, tag: undefined, name: tag === undefined ? name : `${tag}.${name}` };
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
    if (status === undefined) throw templateFailure(`"${word}" is not a state: use ${statuses.join(', ')} or any.`);
    chosen.add(status);
  }
  return chosen;
}

function textOption(options: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = options[name];
  if (value === undefined || typeof value === 'string') return value;
  throw templateFailure(`${name} must be a text, not ${describeValue(value)}.`);
}
