import type { KvEntry } from '../model/catalog.ts';
import { type HelperCall, type HelperDefinition, templateFailure, textArgument } from './helper.ts';
import { isPlainName, isRequestable, readService } from './service-reads.ts';

/** Helpers that read Consul, under consul-template's names and with its meaning. */
export const consulHelpers = {
  service: {
    kind: 'value',
    takes: [1, 1],
    options: ['literal', 'tag', 'dc', 'filter'],
    usage: '(service "tag.name@dc|passing,warning")',
    run: (call) => readService(call, textArgument(call, 0)),
  },
  services: {
    kind: 'value',
    takes: [0, 1],
    usage: '(services "@dc")',
    run(call) {
      const answer = call.scope.read({ kind: 'services', ...datacenterOf(call, 0) });
      const services = [...(answer?.value ?? [])].map(([name, tags]) => ({ name, tags }));
      for (const { name } of services) if (!isPlainName(name)) call.scope.listed.services.add(name);
      return services;
    },
  },
  node: {
    kind: 'value',
    takes: [1, 1],
    usage: '(node "name@dc")',
    run(call) {
      const text = textArgument(call, 0);
      const { path, ...dc } = call.scope.listed.nodes.has(text) ? { path: text } : splitDatacenter(text);
      if (!isRequestable(call.scope, { kind: 'node', name: path })) return undefined;
      return call.scope.read({ kind: 'node', node: path, ...dc })?.value;
    },
  },
  nodes: {
    kind: 'value',
    takes: [0, 1],
    usage: '(nodes "@dc")',
    run(call) {
      const nodes = call.scope.read({ kind: 'nodes', ...datacenterOf(call, 0) })?.value ?? [];
      for (const { node } of nodes) if (node.includes('@')) call.scope.listed.nodes.add(node);
      return nodes;
    },
  },
  datacenters: {
    kind: 'value',
    takes: [0, 0],
    usage: '(datacenters)',
    run: (call) => call.scope.read({ kind: 'datacenters' })?.value ?? [],
  },
  key: {
    kind: 'value',
    takes: [1, 1],
    usage: '(key "path@dc")',
    run(call) {
      const answer = readKey(call);
      if (answer === undefined) return '';
      if (answer.value !== undefined) return textOf(call, answer.value);
      const path = textArgument(call, 0);
      throw templateFailure(`there is no key "${path}" in Consul: use keyOrDefault if it may be missing.`);
    },
  },
  keyOrDefault: {
    kind: 'value',
    takes: [2, 2],
    usage: '(keyOrDefault "path@dc" "text")',
    run(call) {
      const entry = readKey(call)?.value;
      return entry === undefined ? call.args[1] : textOf(call, entry);
    },
  },
  keyBase64: {
    kind: 'value',
    takes: [1, 1],
    usage: '(keyBase64 "path@dc")',
    run(call) {
      const entry = readKey(call)?.value;
      return entry?.base64 ?? Buffer.from(entry?.value ?? '').toString('base64');
    },
  },
  keyExists: {
    kind: 'value',
    takes: [1, 1],
    usage: '(keyExists "path@dc")',
    run: (call) => readKey(call)?.value !== undefined,
  },
  ls: {
    kind: 'value',
    takes: [1, 1],
    usage: '(ls "folder@dc")',
    run: (call) => readTree(call).filter(({ key }) => !key.includes('/')),
  },
  tree: {
    kind: 'value',
    takes: [1, 1],
    usage: '(tree "folder@dc")',
    run: readTree,
  },
} satisfies Record<string, HelperDefinition>;

/** `path@dc`. A path may contain an `@` before a slash, a datacenter may not contain one. */
function splitKey(text: string): ReturnType<typeof splitDatacenter> {
  const { path, ...dc } = splitDatacenter(text);
  return { path: path.replace(/^\/+/, ''), ...dc };
}

function splitDatacenter(text: string): { readonly path: string; readonly dc?: string } {
  const match = /^(.*)@([\w.-]+)$/.exec(text);
  return match === null ? { path: text } : { path: match[1] ?? '', dc: match[2] ?? '' };
}

function readKey(call: HelperCall) {
  const text = textArgument(call, 0);
  const { path, ...dc } = call.scope.listed.keys.has(text) ? { path: text } : splitKey(text);
  if (path === '') throw templateFailure('the key is empty.');
  return call.scope.read({ kind: 'key', key: path, ...dc });
}

/** A key's text. One that is not UTF-8 stops nothing else, and is reported. */
function textOf(call: HelperCall, { key, value, base64 }: KvEntry): string {
  if (base64 !== undefined) {
    call.scope.warnings.add(`The key "${key}" does not hold UTF-8 text: read it by keyBase64.`);
  }
  return value;
}

/** Pairs below a folder, without the folder's own name, and without the markers of folders. */
function readTree(call: HelperCall): readonly { path: string; key: string; value: string }[] {
  const { path, ...dc } = splitKey(textArgument(call, 0));
  const prefix = path === '' || path.endsWith('/') ? path : `${path}/`;
  const entries: readonly KvEntry[] = call.scope.read({ kind: 'key-tree', prefix, ...dc })?.value ?? [];
  for (const { key } of entries) if (key.includes('@')) call.scope.listed.keys.add(key);
  return entries
    .filter(({ key }) => key !== prefix && !key.endsWith('/'))
    .map((entry) => ({ path: entry.key, key: entry.key.slice(prefix.length), value: textOf(call, entry) }));
}

function datacenterOf(call: HelperCall, position: number): { readonly dc?: string } {
  if (call.args[position] === undefined) return {};
  const { path, dc } = splitDatacenter(textArgument(call, position));
  if (path !== '' || dc === undefined) throw templateFailure('a datacenter is written "@name".');
  return { dc };
}
