import type { ServiceInstance } from '../../lib/model/catalog.ts';
import { keySafe } from '../../lib/model/naming.ts';
import type { Publish } from '../../lib/model/publish.ts';
import { type ConsulQuery, queryId } from '../../lib/model/query.ts';
import { formatRecord, type MasterRecord } from '../../lib/model/record.ts';
import type { RenderLimits } from '../../lib/template/budget.ts';
import { compileTemplate } from '../../lib/template/compile.ts';
import type { TemplateFormat } from '../../lib/template/format.ts';
import type { RenderResult } from '../../lib/template/render.ts';
import type { HaproxyDefaults, RenderWorld } from '../../lib/template/scope.ts';

/** A world that has only the given answers, by the id of the query. */
export function makeWorld(
  known: Record<string, unknown>,
  extra: {
    vars?: Record<string, unknown>;
    environment?: string;
    files?: Record<string, string>;
    env?: Record<string, string>;
    publish?: Publish;
    haproxyDefaults?: HaproxyDefaults;
    /** Ids of queries that the token may not ask. */
    denied?: readonly string[];
  } = {},
): RenderWorld {
  return {
    vars: extra.vars ?? {},
    environment: extra.environment,
    ...(extra.publish === undefined ? {} : { publish: extra.publish }),
    ...(extra.haproxyDefaults === undefined ? {} : { haproxyDefaults: extra.haproxyDefaults }),
    lookUpFile: (path) => {
      const text = extra.files?.[path];
      return text === undefined ? { kind: 'unknown' } : { kind: 'known', value: text };
    },
    env: (name) => extra.env?.[name],
    lookUp: (query: ConsulQuery) => {
      const id = queryId(query);
      if (extra.denied?.includes(id)) return { kind: 'denied' };
      return Object.hasOwn(known, id) ? { kind: 'known', value: known[id] as never } : { kind: 'unknown' };
    },
  };
}

export function renderText(input: {
  text: string;
  format?: TemplateFormat;
  known?: Record<string, unknown>;
  vars?: Record<string, unknown>;
  environment?: string;
  partials?: Record<string, string>;
  limits?: Partial<RenderLimits>;
  files?: Record<string, string>;
  env?: Record<string, string>;
  denied?: readonly string[];
  publish?: Publish;
}): RenderResult {
  const partials = Object.entries(input.partials ?? {}).map(([name, text]) => [name, { file: name, text }] as const);
  const template = compileTemplate({
    template: { file: 't.hbs', text: input.text },
    format: input.format ?? 'text',
    partials: new Map(partials),
    ...(input.limits === undefined ? {} : { limits: input.limits }),
  });
  return template.render(makeWorld(input.known ?? {}, input));
}

/** The rendered text, or `code: message` of what it failed with. */
export function textOf(result: RenderResult): string {
  switch (result.kind) {
    case 'rendered':
      return result.text;
    case 'pending':
      return `pending ${result.missing.map(queryId).join(' ')}`;
    case 'failed':
      return `${result.error.code}: ${result.error.message}`;
  }
}

export function makeRecord(over: Partial<MasterRecord> = {}): MasterRecord {
  return {
    version: 1,
    name: 'shard1',
    generation: 1,
    epoch: 4,
    phase: 'confirmed',
    master: { host: '10.0.0.1', port: 6379 },
    replicas: [{ host: '10.0.0.2', port: 6379 }],
    previous: null,
    reason: 'test',
    changedAt: '2024-01-01T00:00:00.000Z',
    changedBy: 'test',
    ...over,
  };
}

/** What a world knows when Consul holds these records. */
export function knowRecords(records: readonly MasterRecord[], prefix = 'redis/'): Record<string, unknown> {
  return {
    [`key-tree(${prefix}record/)`]: records.map((record) => ({
      key: `${prefix}record/${keySafe(record.name)}`,
      value: formatRecord(record),
      modifyIndex: 1,
    })),
  };
}

export function makeInstance(over: Partial<ServiceInstance> = {}): ServiceInstance {
  return {
    node: 'n1',
    nodeAddress: '10.0.0.9',
    nodeMeta: {},
    datacenter: 'dc1',
    id: 'web-1',
    name: 'web',
    address: '10.0.0.9',
    port: 80,
    tags: [],
    meta: {},
    checks: [],
    ...over,
  };
}
