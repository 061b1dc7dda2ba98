import type { ServiceInstance } from '../model/catalog.ts';
import { type HelperCall, type HelperDefinition, templateFailure, textArgument } from './helper.ts';
import { parseServiceQuery, selectInstances, statusOf } from './service-query.ts';

/** Helpers that read Consul, under consul-template's names and with its meaning. */
export const consulHelpers = {
  service: {
    kind: 'value',
    takes: [1, 1],
    usage: '(service "tag.name@dc|passing,warning")',
    run(call) {
      const text = textArgument(call, 0);
      const query = parseServiceQuery(text);
      const { name, dc } = query;
      const answer = call.scope.read({ kind: 'service', service: name, ...(dc === undefined ? {} : { dc }) });
      const chosen = selectInstances(answer?.value ?? [], query);
      for (const { node, id } of chosen) call.scope.members.add(`service(${text}) ${node}/${id}`);
      return chosen.map(showInstance);
    },
  },
  services: {
    kind: 'value',
    takes: [0, 1],
    usage: '(services "@dc")',
    run(call) {
      const answer = call.scope.read({ kind: 'services', ...datacenterOf(call, 0) });
      return [...(answer?.value ?? [])].map(([name, tags]) => ({ name, tags }));
    },
  },
  key: {
    kind: 'value',
    takes: [1, 1],
    usage: '(key "path@dc")',
    run(call) {
      const answer = readKey(call);
      if (answer === undefined) return '';
      if (answer.value === undefined) {
        throw templateFailure(
          `there is no key "${textArgument(call, 0)}" in Consul: use keyOrDefault if it may be missing.`,
        );
      }
      return answer.value.value;
    },
  },
  keyOrDefault: {
    kind: 'value',
    takes: [2, 2],
    usage: '(keyOrDefault "path@dc" "text")',
    run: (call) => readKey(call)?.value?.value ?? call.args[1],
  },
} satisfies Record<string, HelperDefinition>;

/** `path@dc`; a path may hold an `@` before a slash, a datacenter may not hold one. */
export function splitDatacenter(text: string): { readonly path: string; readonly dc?: string } {
  const match = /^(.*)@([\w.-]+)$/.exec(text);
  return match === null ? { path: text } : { path: match[1] ?? '', dc: match[2] ?? '' };
}

function readKey(call: HelperCall) {
  const { path, ...dc } = splitDatacenter(textArgument(call, 0));
  if (path === '') throw templateFailure('the key is empty.');
  return call.scope.read({ kind: 'key', key: path, ...dc });
}

export function datacenterOf(call: HelperCall, position: number): { readonly dc?: string } {
  if (call.args[position] === undefined) return {};
  const { path, dc } = splitDatacenter(textArgument(call, position));
  if (path !== '' || dc === undefined) throw templateFailure('a datacenter is written "@name".');
  return { dc };
}

function showInstance(instance: ServiceInstance) {
  const { id, name, node, nodeAddress, nodeMeta, datacenter, address, port, tags, meta } = instance;
  return { id, name, node, nodeAddress, nodeMeta, datacenter, address, port, tags, meta, status: statusOf(instance) };
}
