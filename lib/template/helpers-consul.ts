import type { CatalogNode, NodeDetail } from '../model/catalog.ts';
import { isSameList } from '../model/same-list.ts';
import { readPlace, splitDatacenter } from './datacenter.ts';
import { type HelperCall, type HelperDefinition, templateFailure, textArgument } from './helper.ts';
import { sortedObject } from './ordered.ts';
import { isPlainName, isRequestable, readConnect, readService } from './service-reads.ts';

interface ListedService {
  readonly name: string;
  readonly tags: readonly string[];
}

interface ListedServices {
  readonly services: readonly ListedService[];
  /** Names with a second meaning as a query. */
  readonly special: readonly string[];
}

const listed = new WeakMap<ReadonlyMap<string, readonly string[]>, ListedServices>();
let lastServices: ReadonlyMap<string, ListedService> = new Map();

/** A service stays the same object until its tags change, so that what a template made of it stays valid (kept-passes.ts). */
function listServices(answer: ReadonlyMap<string, readonly string[]>): ListedServices {
  const before = listed.get(answer);
  if (before !== undefined) return before;
  const services = [...answer].map(([name, tags]) => {
    const last = lastServices.get(name);
    return last !== undefined && isSameList(last.tags, tags) ? last : { name, tags };
  });
  const special = services.map(({ name }) => name).filter((name) => !isPlainName(name));
  const now = { services, special };
  listed.set(answer, now);
  lastServices = new Map(services.map((service) => [service.name, service]));
  return now;
}

/** Helpers that read Consul's catalog, under consul-template's names and with its meaning. */
export const consulHelpers = {
  service: {
    kind: 'value',
    takes: [1, 2],
    options: ['literal', 'tag', 'dc', 'filter', 'near'],
    usage: '(service "tag.name@dc~near|passing,warning")',
    run: (call) => readService(call, queryText(call)),
  },
  connect: {
    kind: 'value',
    takes: [1, 2],
    usage: '(connect "tag.name@dc~near|passing,warning")',
    run: (call) => readConnect(call, queryText(call)),
  },
  services: {
    kind: 'value',
    takes: [0, 1],
    usage: '(services "@dc")',
    run(call) {
      const { near, ...dc } = readPlace(call, 0);
      if (near !== undefined) throw templateFailure('services have no distance: write "@dc".');
      const answer = call.scope.read({ kind: 'services', ...dc })?.value;
      if (answer === undefined) return [];
      const { services, special } = listServices(answer);
      for (const name of special) call.scope.listed.services.add(name);
      return services;
    },
  },
  node: {
    kind: 'value',
    takes: [0, 1],
    bare: 'field',
    usage: '(node "name@dc")',
    run(call) {
      if (call.args.length === 0) return readOwnNode(call);
      const text = textArgument(call, 0);
      const { path, ...dc } = call.scope.listed.nodes.has(text) ? { path: text } : splitDatacenter(text);
      if (path === '') throw templateFailure("the node's name is empty. For the agent's own node, write (node).");
      if (!isRequestable(call.scope, { kind: 'node', name: path })) return undefined;
      const answer = call.scope.read({ kind: 'node', node: path, ...dc });
      return answer === undefined ? undefined : (showDetail(answer.value) ?? noNode);
    },
  },
  nodes: {
    kind: 'value',
    takes: [0, 1],
    usage: '(nodes "@dc~near")',
    run(call) {
      const nodes = call.scope.read({ kind: 'nodes', ...readPlace(call, 0) })?.value ?? [];
      for (const { node } of nodes) if (node.includes('@')) call.scope.listed.nodes.add(node);
      return nodes.map(showNode);
    },
  },
  datacenters: {
    kind: 'value',
    takes: [0, 1],
    usage: '(datacenters)',
    run: (call) => call.scope.read({ kind: 'datacenters' })?.value ?? [],
  },
  caRoots: {
    kind: 'value',
    takes: [0, 0],
    usage: '(caRoots)',
    run: (call) => call.scope.read({ kind: 'ca-roots' })?.value ?? [],
  },
  caLeaf: {
    kind: 'value',
    takes: [1, 1],
    usage: '(caLeaf "service")',
    run(call) {
      const service = textArgument(call, 0);
      if (!isRequestable(call.scope, { kind: 'service', name: service })) return undefined;
      const leaf = call.scope.read({ kind: 'ca-leaf', service })?.value;
      if (leaf !== undefined) call.scope.secrets.take(leaf.privateKey);
      return leaf;
    },
  },
  peerings: {
    kind: 'value',
    takes: [0, 0],
    usage: '(peerings)',
    run: (call) => call.scope.read({ kind: 'peerings' })?.value ?? [],
  },
} satisfies Record<string, HelperDefinition>;

/** The second argument is the filter: `(service "web" "passing,warning")`. */
function queryText(call: HelperCall): string {
  return call.args.map((_, i) => textArgument(call, i)).join('|');
}

function readOwnNode(call: HelperCall) {
  const name = call.scope.read({ kind: 'agent-node' })?.value;
  return name === undefined ? undefined : showDetail(call.scope.read({ kind: 'node', node: name })?.value);
}

function showNode({ taggedAddresses = {}, ...node }: CatalogNode) {
  return { ...node, taggedAddresses: sortedObject(Object.entries(taggedAddresses)) };
}

/** As in consul-template, a node that does not exist is an object without a name. */
const noNode = { services: [] };

/** Services by name, then id; their tags sorted. */
function showDetail(detail: NodeDetail | undefined) {
  if (detail === undefined) return undefined;
  const services = detail.services
    .map((service) => ({ ...service, tags: service.tags.toSorted() }))
    .sort((a, b) => (a.name === b.name ? 0 : a.name < b.name ? -1 : 1));
  return { ...showNode(detail), services };
}
