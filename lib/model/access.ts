import type { ConsulAnswers, ConsulQuery } from './query.ts';

/** What a token may be allowed to read in Consul. */
export interface ReadAccess {
  readonly resource: 'key' | 'service' | 'node';
  /** A name; '' stands for every name. */
  readonly segment: string;
}

/** Queries whose answer is a list, or nothing: from these, ACLs leave out what the token may not read. */
export function isList({ kind }: ConsulQuery): boolean {
  return kind === 'key-tree' || kind === 'service' || kind === 'connect' || isCatalogList(kind);
}

function isCatalogList(kind: ConsulQuery['kind']): boolean {
  return kind === 'services' || kind === 'node' || kind === 'nodes';
}

/**
 * What a token must be allowed to read for an answer to a query. Without it, Consul answers with success and an empty list.
 * Undefined where Consul refuses the query instead, where every token may ask it, and for a folder: a token may have rules
 * for single keys in it.
 */
export function accessFor(query: ConsulQuery): ReadAccess | undefined {
  switch (query.kind) {
    case 'service':
    case 'connect':
      return { resource: 'service', segment: query.service };
    case 'node':
      return { resource: 'node', segment: query.node };
    case 'services':
      return { resource: 'service', segment: '' };
    case 'nodes':
      return { resource: 'node', segment: '' };
    case 'key':
    case 'key-tree':
    case 'datacenters':
    case 'health':
    case 'agent-node':
    case 'ca-roots':
    case 'ca-leaf':
    case 'peerings':
      return undefined;
  }
}

export function isEmptyAnswer(answer: ConsulAnswers[ConsulQuery['kind']]): boolean {
  if (answer === undefined) return true;
  return Array.isArray(answer) ? answer.length === 0 : answer instanceof Map && answer.size === 0;
}

/** What a token must be allowed to read to see the part of the earlier answer that the later one no longer has. */
export function accessForLost(
  query: ConsulQuery,
  { before, after }: { readonly before: unknown; readonly after: unknown },
): readonly ReadAccess[] {
  if (before === after) return [];
  switch (query.kind) {
    case 'key-tree':
      return lost(namesIn(before, 'key'), namesIn(after, 'key')).map((segment) => ({ resource: 'key', segment }));
    case 'services':
      return lost(keysOf(before), keysOf(after)).map((segment) => ({ resource: 'service', segment }));
    case 'service':
    case 'connect': {
      const nodes = lost(namesIn(before, 'node'), namesIn(after, 'node'));
      const own: ReadAccess = { resource: 'service', segment: query.service };
      return nodes.length === 0 ? [] : [own, ...nodes.map((segment) => ({ resource: 'node', segment }) as const)];
    }
    case 'nodes':
      return lost(namesIn(before, 'node'), namesIn(after, 'node')).map((segment) => ({ resource: 'node', segment }));
    case 'node':
      return before !== undefined && after === undefined ? [{ resource: 'node', segment: query.node }] : [];
    case 'key':
    case 'datacenters':
    case 'health':
    case 'agent-node':
    case 'ca-roots':
    case 'ca-leaf':
    case 'peerings':
      return [];
  }
}

/** As a rule of an ACL policy: `service "web" { policy = "read" }`. */
export function formatReadRule({ resource, segment }: ReadAccess): string {
  const prefix = segment === '' ? '_prefix' : '';
  return `${resource}${prefix} ${JSON.stringify(segment)} { policy = "read" }`;
}

function namesIn(list: unknown, field: string): readonly string[] {
  return Array.isArray(list) ? list.map((one: Readonly<Record<string, unknown>>) => String(one[field])) : [];
}

function keysOf(map: unknown): readonly string[] {
  return map instanceof Map ? [...map.keys()] : [];
}

function lost(before: readonly string[], after: readonly string[]): readonly string[] {
  const left = new Set(after);
  return [...new Set(before)].filter((name) => !left.has(name));
}
