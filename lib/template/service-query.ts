import type { ServiceInstance } from '../model/catalog.ts';
import { describeValue, templateFailure } from './helper.ts';

/** The state of an instance as in consul-template: maintenance, or else the worst of its checks. */
export type InstanceStatus = 'passing' | 'warning' | 'critical' | 'maintenance';

export interface ServiceQuery {
  readonly name: string;
  readonly tag: string | undefined;
  readonly dc: string | undefined;
  /** Sorts by the distance to this node. */
  readonly near: string | undefined;
  readonly statuses: ReadonlySet<InstanceStatus>;
}

const statuses: readonly InstanceStatus[] = ['passing', 'warning', 'critical', 'maintenance'];

/** A name alone, as templates with thousands of services have it. */
const plain = /^[\w-]+$/;
const passing: ReadonlySet<InstanceStatus> = new Set(['passing']);

/**
 * Reads `tag.name@dc~near|passing,warning` as consul-template does (its dependency/health_service.go): only passing
 * instances unless a filter says otherwise; `any` is every state. Tags and names may have any characters here. A
 * datacenter's name has no dots (agent/config/builder.go).
 */
export function parseServiceQuery(text: string): ServiceQuery {
  if (plain.test(text)) return { name: text, tag: undefined, dc: undefined, near: undefined, statuses: passing };
  const [, unfiltered = '', filter] = /^(.*?)(?:\|([\w,\s]+))?$/s.exec(text) ?? [];
  const [, path = '', dc, near] = /^(.*?)(?:@([\w-]+))?(?:~([\w.-]+))?$/s.exec(unfiltered) ?? [];
  if (/\?[\w=&-]+$/.test(path)) {
    throw templateFailure(`"${text}": namespaces, partitions and peers are settings of consul, not of a query.`);
  }
  const dot = path.lastIndexOf('.');
  const name = path.slice(dot + 1);
  if (name === '' || dot === 0) throw templateFailure(`"${text}" is not "tag.name@datacenter~near|filter".`);
  return { name, tag: dot < 0 ? undefined : path.slice(0, dot), dc, near, statuses: parseFilter(filter) };
}

/** A name as it is, with the options of a call. */
export function makeServiceQuery(name: string, options: Readonly<Record<string, unknown>>): ServiceQuery {
  const [tag, dc, filter, near] = ['tag', 'dc', 'filter', 'near'].map((option) => textOption(options, option));
  return { name, tag, dc, near, statuses: parseFilter(filter) };
}

/** The text that means the same, where the name has no dots. */
export function formatServiceQuery(name: string, options: Readonly<Record<string, unknown>>): string {
  const { tag, dc, filter, near } = options;
  const place = `${dc === undefined ? '' : `@${dc}`}${near === undefined ? '' : `~${near}`}`;
  const end = `${place}${filter === undefined ? '' : `|${filter}`}`;
  return `${tag === undefined ? '' : `${tag}.`}${name}${end}`;
}

/** The query as the name of a service with a tilde, in place of a name and a node; undefined if it has no tilde. */
export function unplaced({ near, name, dc, ...query }: ServiceQuery): ServiceQuery | undefined {
  return near === undefined || dc !== undefined
    ? undefined
    : { ...query, dc, near: undefined, name: `${name}~${near}` };
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
    (instance) => (query.tag === undefined || hasTag(instance, query.tag)) && query.statuses.has(statusOf(instance)),
  );
}

/** Consul compares tags without regard to their case. */
export function hasTag({ tags }: ServiceInstance, tag: string): boolean {
  const wanted = tag.toLowerCase();
  return tags.some((one) => one.toLowerCase() === wanted);
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
  if (filter === undefined) return passing;
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
