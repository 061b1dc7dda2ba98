import type { ServiceInstance } from '../model/catalog.ts';
import { type HelperCall, templateFailure } from './helper.ts';
import { sortedObject } from './ordered.ts';
import type { RenderScope } from './scope.ts';
import {
  formatServiceQuery,
  hasTag,
  makeServiceQuery,
  parseServiceQuery,
  type ServiceQuery,
  selectInstances,
  statusOf,
  unplaced,
  untag,
} from './service-query.ts';

/** A name that has no second meaning as a query. */
export function isPlainName(name: string): boolean {
  return /^[\w:/-]+$/.test(name);
}

/** Whether a request can name it: in the path of a URL, Consul resolves dots and slashes. Warns where none can. */
export function isRequestable(scope: RenderScope, of: { kind: 'service' | 'node'; name: string }): boolean {
  const { kind, name } = of;
  const isSafe = isPath(name);
  if (!isSafe) scope.warnings.add(`No request can ask Consul for the ${kind} "${name}": give it another name.`);
  return isSafe;
}

/** Instances as templates see them; counted as members. `text` is a query as `service` takes it, or a name. */
export function readService({ scope, options }: HelperCall, text: string): readonly ShownInstance[] {
  if (text === '') throw templateFailure("the service's name is empty.");
  const isName = isLiteral(options) || scope.listed.services.has(text);
  const query = isName ? makeServiceQuery(text, options) : resolve(scope, text);
  return readInstances(scope, { query, label: isName ? formatServiceQuery(text, options) : text });
}

/** The mesh's instances of a service. `text` is a query as `connect` takes it. */
export function readConnect({ scope }: HelperCall, text: string): readonly ShownInstance[] {
  const query = parseServiceQuery(text);
  if (!isRequestable(scope, { kind: 'service', name: query.name })) return [];
  const answer = scope.read({ ...toRequest(query), kind: 'connect' });
  return answer === undefined ? [] : select(scope, { answer: answer.value, query, label: `connect:${text}` });
}

interface LabelledQuery {
  readonly query: ServiceQuery;
  /** The query as a text, for guards: the label of a query must stay the same over versions. */
  readonly label: string;
}

export function readInstances(scope: RenderScope, by: LabelledQuery): readonly ShownInstance[] {
  if (!isRequestable(scope, { kind: 'service', name: by.query.name })) return [];
  const answer = scope.read(toRequest(by.query));
  if (answer === undefined) return [];
  return select(scope, { answer: answer.value, ...by });
}

function select(
  scope: RenderScope,
  { answer, ...by }: LabelledQuery & { readonly answer: readonly ServiceInstance[] },
): readonly ShownInstance[] {
  const { instances, members } = selectionOf(answer, by);
  scope.noteMembers(members);
  return instances;
}

function isLiteral({ literal, ...named }: Readonly<Record<string, unknown>>): boolean {
  return literal === true || Object.keys(named).length > 0;
}

/**
 * `go.micro.api` is the tag `go.micro` of `api` as in consul-template. Where no instance has that tag, it is the service of
 * that whole name. The same holds for a text that is no query.
 */
function resolve(scope: RenderScope, text: string): ServiceQuery {
  let query: ServiceQuery;
  try {
    query = parseServiceQuery(text);
  } catch (failure) {
    const name = makeServiceQuery(text, {});
    if (exists(scope, name)) return name;
    throw failure;
  }
  const named = unplaced(query);
  if (named !== undefined && (scope.read(toRequest(query))?.value ?? []).length === 0 && exists(scope, named))
    return named;
  if (!mayBeWhole(scope, query)) return query;
  const whole = untag(query);
  return exists(scope, whole) ? whole : query;
}

/** A single dot usually means a tag: while the service has other instances, the whole name costs no watch. */
function mayBeWhole(scope: RenderScope, query: ServiceQuery): boolean {
  const { name, tag } = query;
  if (tag === undefined || !isPath(name)) return false;
  const answer = scope.read(toRequest(query))?.value;
  if (answer === undefined) return tag.includes('.');
  return tag.includes('.') ? !answer.some((instance) => hasTag(instance, tag)) : answer.length === 0;
}

function exists(scope: RenderScope, query: ServiceQuery): boolean {
  return isPath(query.name) && (scope.readAllowed(toRequest(query))?.value ?? []).length > 0;
}

function toRequest({ name, dc, near }: ServiceQuery) {
  const place = { ...(dc === undefined ? {} : { dc }), ...(near === undefined ? {} : { near }) };
  return { kind: 'service', service: name, ...place } as const;
}

/** Consul redirects a path with an empty step or with dots to another one. An empty last step is none. */
function isPath(name: string): boolean {
  const steps = name.split('/');
  return name !== '' && !steps.includes('.') && !steps.includes('..') && !steps.slice(0, -1).includes('');
}

interface Selection {
  readonly instances: readonly ShownInstance[];
  readonly members: readonly string[];
}

/**
 * The last selection of each query. An answer stays the same object until it changes, so that a render with ten thousand
 * services selects from the changed one only. Not a WeakMap by answer: with that many keys, garbage collection takes a sixth
 * of a render's time.
 */
const selections = new Map<string, { readonly answer: readonly ServiceInstance[]; readonly selection: Selection }>();

/** A query without an entry is only selected again. */
const keptSelections = 32_768;

function selectionOf(answer: readonly ServiceInstance[], by: LabelledQuery): Selection {
  const { label, query } = by;
  const before = selections.get(label);
  if (before?.answer === answer) return before.selection;
  const chosen = selectInstances(answer, query);
  const members = chosen.map(({ node, id }) => `service(${label}) ${node}/${id}`);
  const selection = { instances: chosen.map(showInstance), members };
  if (selections.size >= keptSelections) selections.clear();
  selections.set(label, { answer, selection });
  return selection;
}

type ShownInstance = ReturnType<typeof showInstance>;

/** Tags are sorted, as in consul-template. */
function showInstance(instance: ServiceInstance) {
  const {
    weights = { passing: 1, warning: 1 },
    taggedAddresses = {},
    nodeId = '',
    nodeTaggedAddresses = {},
  } = instance;
  return {
    id: instance.id,
    name: instance.name,
    node: instance.node,
    nodeAddress: instance.nodeAddress,
    nodeId,
    nodeMeta: instance.nodeMeta,
    nodeTaggedAddresses: sortedObject(Object.entries(nodeTaggedAddresses)),
    datacenter: instance.datacenter,
    address: instance.address,
    port: instance.port,
    taggedAddresses: sortedObject(Object.entries(taggedAddresses)),
    tags: instance.tags.toSorted(),
    meta: instance.meta,
    status: statusOf(instance),
    checks: instance.checks.map(({ id, name, status, output }) => ({ id, name, status, output })),
    weights,
  };
}
